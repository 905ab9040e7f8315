export interface Hit {
  rule: string;
  why: string;
  line: number;
  column: number;
  excerpt: string;
}

export const RULES: string[];
export function gate(code: string): Hit[];
export function formatHits(name: string, hits: Hit[]): string;
