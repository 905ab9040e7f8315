/** No clock that is wrong, wraps or is set costs a reading; no number of boots repeats a number. */
import { afterAll, describe, expect, it } from "vitest";
import { createWorld, openBase, SURE } from "../support/world/world.ts";
import { isNightly, NIGHTLY_MS } from "./lives.ts";
import { live } from "./scenario.ts";

const YEARS = 30 * 365.25 * 86_400;
/** Milliseconds in 32 bits: 49.7 days. Signed they are half of that. */
const WRAPS = [2 ** 32 / 1000, 2 ** 31 / 1000];
/** Falls in the middle of the first outage. */
const BEFORE_WRAP = 90;

const BOOTS = isNightly ? 10_000 : 2000;
/** The power goes this long after the boot, a little later each time, up to a good second. */
const FIRST_CUT_MS = 7;
const CUT_STEP_MS = 13;
const CUT_SPREAD = 97;

const FLASH = 150;
/** A reading every 50 ms. */
const FAST = { driver: SURE, periodSeconds: 0.05, qos: 1 as const };

const base = openBase();
afterAll(() => base.close());

describe("a wrong clock", { timeout: NIGHTLY_MS }, () => {
  it.each(WRAPS)("costs nothing when the uptime passes %d s", async (wrap) => {
    const { violations } = await live(base.crypto, { uptime: wrap - BEFORE_WRAP });
    expect(violations).toEqual([]);
  });

  it("of the cloud costs nothing when it is set back and forth by 30 years", async () => {
    for (const first of [YEARS, -YEARS]) {
      const { violations, world } = await live(base.crypto, {
        begin({ scheduler, cloud }) {
          scheduler.at(30_000, () => cloud.setClockError(first));
          scheduler.at(50_000, () => cloud.setClockError(-first));
          scheduler.at(220_000, () => cloud.setClockError(first));
        },
      });
      expect(violations).toEqual([]);
      expect(world.stored.size).toBeGreaterThan(10);
    }
  });
});

describe("many boots", () => {
  it(`repeat no key id, no nonce and no packet id in use: ${BOOTS} of them`, {
    timeout: NIGHTLY_MS,
  }, async () => {
    const world = createWorld(base.crypto, {
      board: { sensors: [FAST], queue: { readings: 4, flash: FLASH, spillSeconds: 20 } },
    });
    const { scheduler } = world;
    try {
      world.boot();
      await scheduler.until(() => world.stored.size > 0, 60);
      for (let boot = 1; boot < BOOTS; boot++) {
        const wait = FIRST_CUT_MS + ((boot * CUT_STEP_MS) % CUT_SPREAD);
        await scheduler.until(() => false, wait / 1000);
        world.cutNow();
        await scheduler.until(() => world.points().length > boot, 10);
      }
      const from = world.produced.length;
      await scheduler.until(() => world.stored.has(from + 1), 600);
      expect(world.points().length).toBe(BOOTS);
      expect(await world.judge([from, from + 1])).toEqual([]);
      // Most boots were long enough to be seen: the checker had something to look at.
      const seen = world.events.filter(({ kind }) => kind === "sent").length;
      expect(seen).toBeGreaterThan(BOOTS);
      // No boot gets as far as a receipt: what arrives in the end is what the queue in flash holds.
      expect(world.stored.size).toBeGreaterThan(FLASH);
    } finally {
      await world.close();
    }
  });
});
