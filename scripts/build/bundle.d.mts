import type { OutputOptions, RollupOptions } from "rollup";

export interface BundlePlan {
  boardFile: string;
  dist: string;
  outputDirectory: string;
  /** Gives the board as the firmware gets it; without one the file as it is, not judged. */
  readBoard?: (boardFile: string) => object;
}

/** What is made for each use: files of firmware/, by the function of coseflow:cold that makes each. */
export const COLD: { [name: string]: string };

export function bundleOptions(plan: BundlePlan): RollupOptions & { output: OutputOptions };
