export interface BundleSizes {
  bytes: number;
  parts: { [folder: string]: number };
}

export interface SizeRecord {
  measure: string;
  limit: number;
  bundles: { [board: string]: BundleSizes };
  /** Of the bundle in Espruino. */
  variables?: VariablesRecord;
}

export interface VariablesRecord {
  measure: string;
  /** `bme280`: streaming, of a board that measures with one. The last three are the most in their rare moments. */
  states: {
    booted: number;
    streaming: number;
    offline: number;
    bme280: number;
    command: number;
    enrolment: number;
    setup: number;
    keyRoll: number;
  };
  costs: VariableCosts;
}

/** Variables that a board takes beyond one without sensors, while it streams. */
export interface VariableCosts {
  sensors: { [driver: string]: { first: number; another: number } };
  parts: { [part: string]: number };
}

export const LIMIT_BYTES: number;
export const LIMIT_VARIABLES: number;
export function measureBundles(root: string): SizeRecord;
export function judgeSizes(recorded: SizeRecord | undefined, measured: SizeRecord): string[];
