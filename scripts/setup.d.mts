export interface Need {
  name: string;
  packages: string[];
}

export function advice(missing: Need[]): string;
export function isOutdated(sources: string[], targets: string[]): boolean;
export function setup(options: { test: boolean }): Promise<void>;
export function setupOrExplain(options: { test: boolean }): Promise<boolean>;
