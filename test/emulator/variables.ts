import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { VariablesRecord } from "../../scripts/build/size.mjs";

const FILE = join(import.meta.dirname, "..", "..", "size.json");

/** Says how many variables the bundle takes in a state; with RECORD=1 it goes to size.json. */
export function noteVariables(state: keyof VariablesRecord["states"], count: number): void {
  console.log(`in Espruino: ${count} of 4095 variables, ${state}`);
  if (process.env.RECORD !== "1") return;
  const record = JSON.parse(readFileSync(FILE, "utf8"));
  record.variables.states[state] = count;
  writeFileSync(FILE, `${JSON.stringify(record, null, 2)}\n`);
}
