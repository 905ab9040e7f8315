import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../../simulator/repository.ts";
import type { VariablesRecord } from "../build/size.mjs";
import { driverOf } from "./drivers.ts";
import type { Fault } from "./fault.ts";
import { isObject } from "./shape.ts";
import type { Source } from "./source.ts";

/**
 * What the interpreter has. An ESP32-S3 may have more: Espruino's build allows it 16,383 and takes
 * what its heap leaves, which nobody has counted on a chip. So it counts like the others.
 */
const VARIABLES = 4095;

/**
 * The most that a board may hold while it streams. A command takes some 1,400 more and a step of a key
 * roll 1,500: a board that held 2,395 did both (test/emulator/board-limit.test.ts), for one that held
 * 2,520 the key roll was too much. Some 84 of each were the test's own, which stands for the chips.
 */
export const MOST_STREAMING = 2300;

/** Each has code of its own beside each sensor that wants it; a sensor that has one counts as named. */
const REFINEMENTS = ["range", "average", "deadband"];
/** What brings firmware/sensors/refine.ts into a bundle: the build's list, by a test. */
export const NAMED = ["name", "alarm", ...REFINEMENTS];

export interface Estimate {
  /** Variables that the board holds while it streams. */
  streaming: number;
  /** What of them is its sensors'. */
  sensors: number;
  /** What `streaming` may be. */
  most: number;
  /** What the interpreter has. */
  variables: number;
}

export type EstimateMemory = (board: Record<string, unknown>) => Estimate;

function readVariables(): VariablesRecord {
  return JSON.parse(readFileSync(join(repositoryRoot(), "size.json"), "utf8")).variables;
}

/**
 * Adds up what was counted in the interpreter (size.json). What drivers share is counted for each
 * kind, so that a board takes somewhat less. A part that size.json does not have counts as nothing.
 */
export function createMemoryEstimate({ states, costs } = readVariables()): EstimateMemory {
  const empty = states.streaming - (costs.sensors.host?.first ?? 0);
  const part = (name: string) => costs.parts[name] ?? 0;

  function ofSensors(list: unknown[]): number {
    const kinds = new Set<string>();
    const entries = list.filter(isObject);
    const has = (entry: object, names: string[]) =>
      names.some((name) => Object.hasOwn(entry, name));
    let sum = entries.some((entry) => has(entry, NAMED)) ? part("named") : 0;
    for (const entry of entries) {
      const name = driverOf(entry)?.name ?? "";
      const cost = costs.sensors[name];
      sum += (kinds.has(name) ? cost?.another : cost?.first) ?? 0;
      if (has(entry, REFINEMENTS)) sum += part("refined");
      if (has(entry, ["alarm"])) sum += part("alarm");
      kinds.add(name);
    }
    return sum;
  }

  return function estimate(board) {
    const sensors = ofSensors(Array.isArray(board.sensors) ? board.sensors : []);
    const pins = ["led", "button"].filter((name) => board[name] !== undefined).map(part);
    return {
      streaming: pins.reduce((sum, each) => sum + each, empty + sensors),
      sensors,
      most: MOST_STREAMING,
      variables: VARIABLES,
    };
  };
}

/** A board whose sensors leave no room for what it has to do now and then. */
export function checkMemory(
  source: Source,
  board: Record<string, unknown>,
  estimate: EstimateMemory,
): Fault[] {
  const { streaming, sensors, most, variables } = estimate(board);
  if (streaming <= most) return [];
  return [
    source.at(["sensors"], {
      expected: `at most ${Math.max(0, sensors + most - streaming)} variables`,
      got: `${sensors}: of ${variables} a command or a key roll would find too few; name fewer sensors, or leave out names, ranges, alarms, LED or button`,
    }),
  ];
}
