/** What a board that sleeps knows beyond a sleep, in virtual time: the hour, its sensors' failures, its last record. */
import { afterAll, describe, expect, it } from "vitest";
import type { SenmlRecord } from "../../protocol/senml.ts";
import { openBase, SURE, type World } from "../support/world/world.ts";
import { CYCLE, cycles, sent, sleepingOn } from "./sleeping.ts";

const base = openBase();
afterAll(() => base.close());
const sleeping = sleepingOn(base.crypto);

/** What a wake lasts beyond the sleep's nominal length, in vain or not, and the rounding of its time. */
const LONGEST_WAKE = 65;

const HOUR = 3600 / CYCLE;

/** The gaps between readings as the cloud dates them, and by whose word. */
async function gapsOf(world: World): Promise<{ gaps: number[]; from: string[] }> {
  const dates = await world.cloud.dates(SURE);
  const gaps = dates.slice(1).map(({ time }, at) => time - (dates[at]?.time ?? 0));
  return { gaps, from: dates.map(({ from }) => from) };
}

/** The failures that the cloud was told. */
async function failuresOf(world: World): Promise<SenmlRecord[]> {
  return (await world.cloud.events()).flat().filter(({ name }) => name === `${SURE}-failure`);
}

describe("the time of a board that sleeps", () => {
  it("goes on over a night without a broker", async () => {
    await sleeping(async (world, told) => {
      await cycles(world, told, 3);
      const since = world.scheduler.now();
      world.broker.setUp(false);
      await cycles(world, told, 10 * HOUR);
      world.broker.setUp(true);
      await cycles(world, told, 4);
      const { gaps, from } = await gapsOf(world);
      expect(from).toHaveLength(10 * HOUR + 7);
      // Two came before it was registered.
      expect(from.slice(2).filter((source) => source !== "device")).toEqual([]);
      for (const gap of gaps.slice(2)) {
        expect(gap).toBeGreaterThanOrEqual(CYCLE - 1);
        expect(gap).toBeLessThanOrEqual(CYCLE + LONGEST_WAKE);
      }
      const dates = await world.cloud.dates(SURE);
      const dated = (dates.at(-1)?.time ?? 0) - (dates[2]?.time ?? 0);
      // Of ten hours and the wakes between, by the clock of the world, nothing is lost.
      expect(Math.abs(dated - (world.scheduler.now() - since))).toBeLessThan(10);
    });
  });

  it("goes on where a session ends with the sleep", async () => {
    await sleeping(
      async (world, told) => {
        await cycles(world, told, 20);
        const { from } = await gapsOf(world);
        expect(from.slice(2).filter((source) => source !== "device")).toEqual([]);
        expect(world.memory.counter).toBeGreaterThan(4);
      },
      { board: { session: { rekeySeconds: 1000 } } },
    );
  });

  it("is not taken from a sleep that a power cut has ended", async () => {
    await sleeping(async (world, told) => {
      await cycles(world, told, 3);
      await world.scheduler.until(() => false, CYCLE / 2);
      world.cutNow();
      await cycles(world, told, 2);
      const { from } = await gapsOf(world);
      expect(from).toEqual(["arrival", "arrival", "device", "arrival", "device"]);
    });
  });
});

describe("the health record of a board that sleeps", () => {
  it("comes once a day, without the words of a boot report", async () => {
    await sleeping(async (world, told) => {
      await cycles(world, told, 49 * HOUR);
      const records = await world.cloud.events();
      expect(records).toHaveLength(3);
      for (const record of records) {
        const names = record.map(({ name }) => name as string);
        expect(names).toContain("queue");
        expect(names).not.toContain("boot-uptime");
      }
      const times = records.map(([first]) => first?.time ?? 0);
      for (let day = 1; day < 3; day++) {
        const gap = (times[day] as number) - (times[day - 1] as number);
        expect(gap).toBeGreaterThanOrEqual(86_400);
        expect(gap).toBeLessThan(86_400 + 2 * CYCLE);
      }
    });
  });

  it("waits for a cloud that answers, and is not made up for", async () => {
    await sleeping(async (world, told) => {
      await cycles(world, told, 3);
      world.broker.setUp(false);
      await cycles(world, told, 50 * HOUR);
      expect(await world.cloud.events()).toHaveLength(1);
      world.broker.setUp(true);
      await cycles(world, told, 3);
      expect(await world.cloud.events()).toHaveLength(2);
    });
  });
});

describe("a sensor that fails on a board that sleeps", () => {
  it("is told of once over many sleeps, and once when it works again", async () => {
    await sleeping(async (world, told) => {
      await cycles(world, told, 3);
      world.setMeasuring("fails");
      await cycles(world, told, 2 * HOUR);
      expect((await failuresOf(world)).map(({ value }) => value)).toEqual([7]);
      world.setMeasuring("works");
      await cycles(world, told, 2 * HOUR);
      expect((await failuresOf(world)).map(({ value }) => value)).toEqual([7, 0]);
    });
  });

  it("that fails at every other wake is told of once an hour at most", async () => {
    await sleeping(async (world, told) => {
      await cycles(world, told, 2);
      for (let wake = 0; wake < 2 * HOUR; wake++) {
        world.setMeasuring(wake % 2 === 0 ? "fails" : "works");
        await cycles(world, told, 1);
      }
      const failures = await failuresOf(world);
      expect(failures.length).toBeGreaterThan(0);
      expect(failures.length).toBeLessThanOrEqual(3);
    });
  });

  it("before a first receipt costs no counter", async () => {
    await sleeping(async (world, told) => {
      world.broker.setUp(false);
      world.setMeasuring("fails");
      await cycles(world, told, HOUR);
      // Its first boot waits for a minute, and may tell then.
      expect(sent(world, "event")).toBe(0);
      expect(world.memory.counter).toBeLessThanOrEqual(2);
    });
  });
});
