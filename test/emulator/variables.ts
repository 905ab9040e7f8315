import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { VariablesRecord } from "../../scripts/build/size.mjs";
import type { Interpreter } from "./espruino.ts";

const FILE = join(import.meta.dirname, "..", "..", "size.json");

/** Says how many variables the bundle takes in a state; with RECORD=1 it goes to size.json. */
export function noteVariables(state: keyof VariablesRecord["states"], count: number): void {
  console.log(`in Espruino: ${count} of 4095 variables, ${state}`);
  if (process.env.RECORD !== "1") return;
  const record = JSON.parse(readFileSync(FILE, "utf8"));
  record.variables.states[state] = count;
  writeFileSync(FILE, `${JSON.stringify(record, null, 2)}\n`);
}

/**
 * Has the device itself say once a second what it holds: what is asked on the console stays
 * in the console's history.
 */
export async function watchUsage(device: Interpreter): Promise<void> {
  await device.evaluate(
    `(global.looks=0,setInterval(function(){print("usage "+process.memory().usage+" "+require("devcrypto").ringCount()+" "+looks++)},1000),0)`,
  );
}

const looksOf = (device: Interpreter) =>
  device.lines.filter((line) => line.startsWith("usage ")).length;

/** The least of the next looks: at times a reading waits for its receipt, and in flash none may. */
export async function leastUsage(device: Interpreter, samples: number): Promise<number> {
  const usages: number[] = [];
  for (let look = looksOf(device); usages.length < samples; look++) {
    const [, usage, inFlash] = await device.line(new RegExp(`^usage (\\d+) (\\d+) ${look}$`));
    if (inFlash === "0") usages.push(Number(usage));
  }
  return Math.min(...usages);
}
