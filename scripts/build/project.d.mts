import type { OutputOptions, RollupOptions } from "rollup";

export interface ProjectPlan {
  /** The checkout. */
  root: string;
  readBoard?: (boardFile: string) => object;
  /** All boards where not given. */
  names?: string[];
  /** build/firmware where not given. */
  outputDirectory?: string;
}

export function projectFolders(root: string): { boards: string; dist: string; bundles: string };
export function projectOptions(plan: ProjectPlan): (RollupOptions & { output: OutputOptions })[];
