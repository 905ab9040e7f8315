import type { OutputOptions, RollupOptions } from "rollup";

export interface BundlePlan {
  boardFile: string;
  dist: string;
  outputDirectory: string;
}

export function bundleOptions(plan: BundlePlan): RollupOptions & { output: OutputOptions };
export function readBoard(boardFile: string): { [key: string]: unknown };
