export interface DepthRecord {
  interpreter: string;
  depths: Readonly<Record<string, number>>;
}

export const DEPTH_BUDGET: number;
export function readFrames(texts: string[]): Map<string, number>;
export function measureDepths(
  chains: string,
  frames: Map<string, number>,
): { depths: Record<string, number>; unknown: string[] };
export function withDepths(document: string, record: DepthRecord): string;
