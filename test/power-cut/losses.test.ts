/** What a board that sleeps has lost is told, whatever the power does. */
import { afterAll, expect, it } from "vitest";
import { openBase, type World } from "../support/world/world.ts";
import { isNightly, spread } from "./lives.ts";
import { cycles, sleepingOn } from "./sleeping.ts";

/** Cuts in a daily run of each life. */
const DAILY_CUTS = 40;

const base = openBase();
afterAll(() => base.close());
const sleeping = sleepingOn(base.crypto);

/** Room for so many, and so many cycles without a broker: the rest is lost. */
const ROOM = 5;
const DARK = 9;
const BOARD = { queue: { readings: 4, flash: ROOM } };

/** The counts that the cloud has been told, in the order of the readings. */
async function toldOf(world: World): Promise<number[]> {
  const { readings } = await world.cloud.content(world.thumbprint);
  return readings
    .sort((one, other) => one.session - other.session || one.sequence - other.sequence)
    .flatMap(({ values }) => (values.dropped === undefined ? [] : [values.dropped as number]));
}

/** Two good cycles, an outage, and some more; the points of each wake. */
async function live(plan: number[], judge: (world: World) => Promise<void>): Promise<number[]> {
  let points: number[] = [];
  await sleeping(
    async (world, told) => {
      await cycles(world, told, 2);
      world.broker.setUp(false);
      await cycles(world, told, DARK);
      points = world.points();
      world.broker.setUp(true);
      await cycles(world, told, 4);
      expect(await world.judge([])).toEqual([]);
      await judge(world);
    },
    { plan, board: BOARD },
  );
  return points;
}

it("a board that sleeps tells what it lost over many sleeps, once, and knows it at the next boot", async () => {
  await live([], async (world) => {
    const lost = world.produced.length - world.stored.size;
    expect(lost).toBe(DARK - ROOM);
    const told = await toldOf(world);
    expect(told.at(-1)).toBe(lost);
    const record = world.memory.records.get("losses") as string;
    const count = (at: number) => Buffer.from(record, "latin1").readUInt32BE(at);
    expect([count(1), count(5)]).toEqual([lost, lost]);
    const { readings } = await world.cloud.content(world.thumbprint);
    // Receipted: the last cycles have nothing more to tell.
    expect(readings.at(-1)?.values.dropped).toBeUndefined();
  });
});

it("cut at each instant of a wake that loses readings, it never tells too much, and too little by that wake", {
  timeout: 300_000,
}, async () => {
  const points = await live([], async () => {});
  let cuts = 0;
  for (const wake of [DARK - 1, DARK]) {
    const last = points[wake] as number;
    for (const at of spread(last, isNightly ? last : DAILY_CUTS))
      await live([...Array<number>(wake).fill(0), at], async (world) => {
        const lost = world.produced.length - world.stored.size;
        const told = Math.max(0, ...(await toldOf(world)));
        expect([at, told]).toEqual([at, Math.min(told, lost)]);
        // The wake's own reading is gone with the memory, and so may be the count of what it displaced.
        expect(told).toBeGreaterThanOrEqual(lost - 2);
        cuts += world.cuts();
      });
  }
  expect(cuts).toBeGreaterThan(10);
});
