/**
 * The power is cut at every point of a device's life: before and after each write to its
 * flash, after any byte of one to the queue's, and at each packet either way. Then it
 * comes back, and is cut again. Whatever happens, the history must be a good one.
 */
import { afterAll, expect, it } from "vitest";
import type { DeviceMemory } from "../support/world/device-memory.ts";
import { allTears, someTears } from "../support/world/power.ts";
import { openBase } from "../support/world/world.ts";
import { live, type Outcome } from "./scenario.ts";

const isNightly = process.env.COSEFLOW_NIGHTLY === "1";
const NIGHTLY_CUTS = 100_000;
const NIGHTLY_MS = 6 * 3600_000;
/** Lives with two cuts, spread evenly over all pairs of points. */
const DAILY_PAIRS = 120;
/** Lives with one cut: of more points than that, every second, third ... is taken. */
const DAILY_SINGLES = 250;
/** As many as a reader can look at. */
const SHOWN = 5;

const tornAt = isNightly ? allTears : someTears;
const base = openBase();
afterAll(() => base.close());

interface Tally {
  lives: number;
  cuts: number;
  failures: string[];
}

async function take(tally: Tally, seed: number, plan: number[]): Promise<Outcome> {
  const outcome = await live(base.crypto, { plan, seed, tornAt });
  tally.lives++;
  tally.cuts += outcome.cuts;
  if (outcome.violations.length > 0 && tally.failures.length < SHOWN)
    tally.failures.push(`seed ${seed}, cut at ${plan}:\n${outcome.violations.join("\n")}`);
  return outcome;
}

/** From 1 to `last`, at most `most` of them, evenly. */
function spread(last: number, most: number): number[] {
  const step = Math.max(1, last / most);
  const points: number[] = [];
  for (let at = 1; at <= last; at += step) points.push(Math.floor(at));
  return points;
}

/** Cuts once at each point, and again at points of the boot that follows. */
async function cutAll(tally: Tally, seed: number, singles: number, pairs: number): Promise<void> {
  const [points = 0] = (await take(tally, seed, [])).points;
  const seconds: [first: number, second: number][] = [];
  for (const first of spread(points, singles)) {
    const outcome = await take(tally, seed, [first]);
    if (outcome.cuts !== 1) tally.failures.push(`seed ${seed}, cut at ${first}: not cut once`);
    for (let second = 1; second <= (outcome.points[1] ?? 0); second++)
      seconds.push([first, second]);
  }
  for (const at of spread(seconds.length, pairs))
    await take(tally, seed, seconds[at - 1] as [number, number]);
}

function report(tally: Tally): void {
  console.log(`power cut ${tally.cuts} times in ${tally.lives} lives`);
  expect(tally.failures).toEqual([]);
}

it("loses nothing that was receipted and stores nothing twice", {
  timeout: NIGHTLY_MS,
}, async () => {
  const tally: Tally = { lives: 0, cuts: 0, failures: [] };
  if (!isNightly) await cutAll(tally, 0, DAILY_SINGLES, DAILY_PAIRS);
  for (let seed = 0; isNightly && tally.cuts < NIGHTLY_CUTS; seed++)
    await cutAll(tally, seed, Infinity, Infinity);
  report(tally);
});

it("would notice a counter that the flash forgets", async () => {
  const forget = (memory: DeviceMemory) => {
    memory.counter = 0;
  };
  const { violations } = await live(base.crypto, { plan: [100], sabotage: forget });
  expect(violations.map((violation) => violation.split(":")[0])).toContain("session");
});

it("would notice a device that never comes back", async () => {
  const block = (memory: DeviceMemory) => {
    memory.counter = 2 ** 33;
  };
  const { violations } = await live(base.crypto, { plan: [100], sabotage: block });
  expect(violations.length).toBeGreaterThan(0);
});
