export interface BundleSizes {
  bytes: number;
  parts: { [folder: string]: number };
}

export interface SizeRecord {
  measure: string;
  limit: number;
  bundles: { [board: string]: BundleSizes };
}

export const LIMIT_BYTES: number;
export function measureBundles(root: string): SizeRecord;
export function judgeSizes(recorded: SizeRecord | undefined, measured: SizeRecord): string[];
