/** What is made for each use: files of firmware/, by the function of coseflow:cold that makes each. */
export const COLD: { [name: string]: string };

export interface ColdModule {
  code: string;
  /** Bytes of each module in it, minified alone, by its name. */
  sizes: { [module: string]: number };
  /** What it was made of, relative to `dist`. */
  files: string[];
}

export function loadColdModule(dist: string): Promise<ColdModule>;
