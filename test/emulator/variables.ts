import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { VariableCosts, VariablesRecord } from "../../scripts/build/size.mjs";
import type { Interpreter } from "./espruino.ts";

const FILE = join(import.meta.dirname, "..", "..", "size.json");

/** Looks at the variables. */
const LOOKS = 12;
/** Between two looks: no multiple of a sensor's period, or each might meet a reading that waits. */
const LOOK_MS = 1030;

/** Says how many variables the bundle takes in a state; with RECORD=1 it goes to size.json. */
export function noteVariables(state: keyof VariablesRecord["states"], count: number): void {
  console.log(`in Espruino: ${count} of 4095 variables, ${state}`);
  if (process.env.RECORD !== "1") return;
  change((variables) => {
    variables.states[state] = count;
  });
}

function change(edit: (variables: VariablesRecord) => void): void {
  const record = JSON.parse(readFileSync(FILE, "utf8"));
  edit(record.variables);
  writeFileSync(FILE, `${JSON.stringify(record, null, 2)}\n`);
}

/** The same of what sensors and parts of a board take beyond a board without them. */
export function noteCosts(found: Partial<VariableCosts>): void {
  console.log(`in Espruino, variables beyond a board without: ${JSON.stringify(found)}`);
  if (process.env.RECORD !== "1") return;
  change((variables) => {
    const { sensors, parts } = variables.costs;
    variables.costs = {
      sensors: { ...sensors, ...found.sensors },
      parts: { ...parts, ...found.parts },
    };
  });
}

/**
 * Has the device itself say now and then what it holds: what is asked on the console stays
 * in the console's history.
 */
export async function watchUsage(device: Interpreter): Promise<void> {
  await device.evaluate(
    `(global.looks=0,setInterval(function(){print("usage "+process.memory().usage+" "+require("devcrypto").ringCount()+" "+looks++)},${LOOK_MS}),0)`,
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

/**
 * What is held at most at each call of these of the C module from now on, without what this
 * costs itself. The device says it, so that it outlasts a restart. Where watchUsage is at work.
 */
export async function watchPeak(device: Interpreter, names: string[]): Promise<() => number> {
  const before = await leastUsage(device, LOOKS);
  await device.evaluate(
    `(global.peak=0,${JSON.stringify(names)}.forEach(function(n){var d=require("devcrypto"),f=d[n];d[n]=function(){var u=process.memory().usage;if(u>peak){peak=u;print("peak "+u)}return f.apply(d,arguments)}}),0)`,
  );
  const cost = (await leastUsage(device, LOOKS)) - before;
  return () => {
    const peaks = device.lines.flatMap((line) => /^peak (\d+)$/.exec(line)?.[1] ?? []);
    return Math.max(...peaks.map(Number)) - cost;
  };
}
