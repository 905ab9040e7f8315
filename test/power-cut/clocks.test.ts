/** No clock that is wrong, wraps or is set costs a reading; no number of boots repeats a number. */
import { afterAll, describe, expect, it } from "vitest";
import { openLog } from "../../simulator/devcrypto/ring-log.ts";
import { FIRST_DAY } from "../support/world/memory-cloud.ts";
import { createWorld, openBase, SURE } from "../support/world/world.ts";
import { isNightly, NIGHTLY_MS } from "./lives.ts";
import { sentAs } from "./plans.ts";
import { live } from "./scenario.ts";

const YEARS = 30 * 365.25 * 86_400;
/** Milliseconds in 32 bits: 49.7 days. Signed they are half of that. */
const WRAPS = [2 ** 32 / 1000, 2 ** 31 / 1000];
/** Falls in the middle of the first outage. */
const BEFORE_WRAP = 90;

/** The device looks at its clock at least this often, and loses what a step cuts off. */
const LOOK_SECONDS = 10;
/** Uptime and receipts tell whole seconds. */
const ROUNDED = 2;

const BOOTS = isNightly ? 10_000 : 500;
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

/** Seconds of the world at which the device's clock is set, and how far. */
type Steps = [at: number, seconds: number][];

/** Online, in an outage, there and back: the second step follows the first in the same outage. */
const stepsOf = (years: number): Steps => [
  [120, years],
  [330, years],
  [360, -years],
  [480, -years],
];

/** Ten minutes with an outage in which the clock is set like that; what the device did with its time. */
async function keepTime(steps: Steps) {
  const deviceClock = { ahead: 0 };
  const board = { queue: { readings: 64, flash: FLASH, spillSeconds: 60 } };
  const world = createWorld(base.crypto, { deviceClock, board });
  const { scheduler, broker, produced, producedAt } = world;
  const pass = (until: number) => scheduler.until(() => scheduler.now() >= until, until);
  try {
    world.boot();
    for (const [at, seconds] of steps)
      scheduler.at(at * 1000, () => {
        deviceClock.ahead += seconds;
      });
    await pass(250);
    broker.setUp(false);
    await pass(420);
    const { ahead } = deviceClock;
    const inFlash = openLog(Buffer.from(world.memory.ring), () => {}).count();
    broker.setUp(true);
    await pass(600);
    world.setMeasuring("fails");
    await pass(900);
    const due = produced.flatMap((values, index) => (SURE in values ? [index] : []));
    expect(await world.judge(due)).toEqual([]);
    const dates = await world.cloud.dates(SURE);
    const wrong = dates.map(({ value, time }) => {
      const index = Math.round(value * 100) - 1;
      return Math.abs(time - FIRST_DAY - (producedAt[index] as number));
    });
    return {
      ...{ ahead, inFlash, sure: due.length },
      dates: wrong.length,
      wrongBy: Math.max(...wrong),
      sessions: new Set(sentAs(world, "session")).size,
      connects: world.log.filter((line) => line.includes(" mqtt: connect: ")).length,
    };
  } finally {
    await world.close();
  }
}

describe("a device's own clock that is set 30 years on and back", () => {
  it.each([YEARS, -YEARS])("by %d s first costs no date, wait, or session", async (years) => {
    const calm = await keepTime([]);
    expect(calm.wrongBy).toBeLessThan(ROUNDED);
    expect([calm.sessions, calm.inFlash > 5, calm.connects > 2]).toEqual([1, true, true]);
    const set = await keepTime(stepsOf(years));
    expect(set.ahead).toBe(years);
    expect([set.sessions, set.dates]).toEqual([1, set.sure]);
    // Two steps were in one outage, and no receipt told the time between them.
    expect(set.wrongBy).toBeLessThan(2 * LOOK_SECONDS + ROUNDED);
    expect(Math.abs(set.sure - calm.sure)).toBeLessThanOrEqual(stepsOf(years).length);
    expect(Math.abs(set.inFlash - calm.inFlash)).toBeLessThanOrEqual(2);
    expect(Math.abs(set.connects - calm.connects)).toBeLessThanOrEqual(2);
  });

  it("repeats no key id and no nonce, with the power cut after each step", async () => {
    for (const years of [YEARS, -YEARS]) {
      const deviceClock = { ahead: 0 };
      const { violations, world } = await live(base.crypto, {
        deviceClock,
        begin(world) {
          stepsOf(years).forEach(([, step], index) => {
            world.scheduler.at(35_000 * (index + 1), () => {
              deviceClock.ahead += step;
            });
            world.scheduler.at(35_000 * (index + 1) + 5000 * index, world.cutNow);
          });
        },
      });
      expect(violations).toEqual([]);
      expect(world.cuts()).toBe(4);
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
