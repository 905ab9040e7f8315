import type { OutputOptions, RollupOptions } from "rollup";

export interface BundlePlan {
  boardFile: string;
  dist: string;
  outputDirectory: string;
  /** Gives the board as the firmware gets it; without one the file as it is, not judged. */
  readBoard?: (boardFile: string) => object;
}

export function bundleOptions(plan: BundlePlan): RollupOptions & { output: OutputOptions };

/** The properties of a sensor that firmware/sensors/refine.ts is there for. */
export const REFINEMENTS: readonly string[];
