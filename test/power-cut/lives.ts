/** Lives with their power cut, one after the other, counted and judged. */
import { expect } from "vitest";
import type { OpenDeviceCrypto } from "../../simulator/devcrypto/stand-in.ts";
import { allTears, someTears } from "../support/world/power.ts";
import { live, type Outcome } from "./scenario.ts";

export const isNightly = process.env.COSEFLOW_NIGHTLY === "1";
/** For a world that hangs. Its own time is virtual, and a busy machine is no fault of the device. */
export const NIGHTLY_MS = 6 * 3600_000;
/** As many as a reader can look at. A run that has them ends: each takes its days of patience. */
const SHOWN = 5;

/** A run of hours says how far it is every so many cuts. */
const PROGRESS = 5000;

const tornAt = isNightly ? allTears : someTears;

export interface Tally {
  lives: number;
  cuts: number;
  failures: string[];
}

export function createTally(): Tally {
  return { lives: 0, cuts: 0, failures: [] };
}

export function isOver({ failures }: Tally): boolean {
  return failures.length >= SHOWN;
}

/** One life. At least so many of the cuts planned have to come about; by default all of them. */
export async function take(
  base: OpenDeviceCrypto,
  tally: Tally,
  seed: number,
  plan: number[],
  least = plan.length,
): Promise<Outcome> {
  const outcome = await live(base, { plan, seed, tornAt });
  tally.lives++;
  const before = Math.floor(tally.cuts / PROGRESS);
  tally.cuts += outcome.cuts;
  if (Math.floor(tally.cuts / PROGRESS) > before)
    console.log(`power cut ${tally.cuts} times so far, ${tally.failures.length} bad lives`);
  if (outcome.cuts < least)
    outcome.violations.push(`plan: ${least} cuts, and only ${outcome.cuts} came about`);
  if (outcome.violations.length > 0)
    tally.failures.push(`seed ${seed}, cut at ${plan}:\n${outcome.violations.join("\n")}`);
  return outcome;
}

/**
 * From 1 to `last`, at most `most` of them, evenly. `shift`, from 0 up to 1, moves them within
 * their steps, so that runs with other seeds take other points.
 */
export function spread(last: number, most: number, shift = 0): number[] {
  const step = Math.max(1, last / most);
  const points: number[] = [];
  for (let at = 1 + Math.floor(step) * shift; at <= last; at += step) points.push(Math.floor(at));
  return points;
}

export function report(tally: Tally): void {
  console.log(`power cut ${tally.cuts} times in ${tally.lives} lives`);
  expect(tally.failures.slice(0, SHOWN)).toEqual([]);
}
