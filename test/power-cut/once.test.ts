/**
 * The power is cut at every point of a device's life: before and after each write to its
 * flash, after any byte of one to the queue's, and at each packet either way. Then it
 * comes back. Whatever happens, the history must be a good one.
 */
import { afterAll, expect, it } from "vitest";
import type { DeviceMemory } from "../support/world/device-memory.ts";
import { openBase } from "../support/world/world.ts";
import { createTally, isNightly, isOver, NIGHTLY_MS, report, spread, take } from "./lives.ts";
import { live } from "./scenario.ts";

/** Of more points than that, every second, third ... is taken. */
const DAILY_CUTS = 120;
const NIGHTLY_CUTS = 8000;

const base = openBase();
afterAll(() => base.close());

it("cut once, loses nothing that was receipted and stores nothing twice", {
  timeout: NIGHTLY_MS,
}, async () => {
  const tally = createTally();
  let seed = 0;
  do {
    const [points = 0] = (await take(base.crypto, tally, seed, [])).points;
    for (const at of spread(points, isNightly ? Infinity : DAILY_CUTS))
      if (!isOver(tally)) await take(base.crypto, tally, seed, [at]);
    seed++;
  } while (isNightly && tally.cuts < NIGHTLY_CUTS && !isOver(tally));
  report(tally);
});

it("would notice a counter that the flash forgets", { timeout: NIGHTLY_MS }, async () => {
  const forget = (memory: DeviceMemory) => {
    memory.counter = 0;
  };
  const { violations } = await live(base.crypto, { plan: [100], sabotage: forget });
  expect(violations.map((violation) => violation.split(":")[0])).toContain("session");
});

it("would notice a device that never comes back", { timeout: NIGHTLY_MS }, async () => {
  const block = (memory: DeviceMemory) => {
    memory.counter = 2 ** 33;
  };
  const { violations } = await live(base.crypto, { plan: [100], sabotage: block });
  expect(violations.length).toBeGreaterThan(0);
});
