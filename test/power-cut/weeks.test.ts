/**
 * Three weeks without a broker, with more readings than there is room for. What the bound holds
 * arrives, all of it and in order, and what is missing is what the device says it has dropped.
 */
import { afterAll, describe, expect, it } from "vitest";
import type { QueueConfig, SensorConfig } from "../../firmware/config.ts";
import { MAX_SESSIONS } from "../../firmware/session.ts";
import { openLog } from "../../simulator/devcrypto/ring-log.ts";
import { createWorld, openBase, SURE, type World } from "../support/world/world.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const PERIOD = 1200;
/** Every seventh half of a period: some readings of the two sensors fall together. */
const SPARE_PERIOD = 4200;
/** Between two measurements, with everything measured in flash. */
const BETWEEN = 150;
const OUTAGE = 3 * WEEK;
/** The broker comes back; all that waits goes out, and new readings tell what was dropped. */
const CALM = 6 * HOUR;
/** Readings in flash: some three days. */
const FLASH = 300;
const QUEUE = { readings: 4, flash: FLASH, spillSeconds: 20 };
/** More than the ring has bytes for. */
const ENDLESS = 100_000;
/** Readings that 15 of its 16 sectors hold at least. */
const RING_LEAST = 500;

const base = openBase();
afterAll(() => base.close());

interface Outage {
  queue?: QueueConfig;
  drop?: SensorConfig["drop"];
  /** When the power goes, in seconds from the beginning of the outage. */
  cuts?: number[];
}

interface Lived {
  /** Measured before the outage began, and before the broker was back. */
  before: number;
  until: number;
  /** Measured by the beginning of each boot, the first one not among them. */
  boots: number[];
  /** Readings in flash at the end of the outage. */
  inFlash: number;
  /** Since the last boot: what it found in flash and measured. */
  ofLastBoot: number;
  measured: number;
  /** By index, as they came to the cloud. */
  arrived: number[];
  /** The last number of drops that a reading told. */
  dropped: number;
}

const ringOf = ({ memory }: World) => openLog(Buffer.from(memory.ring), () => {}).count();

/** The cloud's word for the last number of drops. */
async function reportedDrops({ cloud, thumbprint }: World): Promise<number> {
  const { readings } = await cloud.content(thumbprint);
  readings.sort((one, other) => one.session - other.session || one.sequence - other.sequence);
  const told = readings.flatMap(({ values }) => values.dropped ?? []);
  return Number(told.at(-1) ?? 0);
}

/** A day with a broker, the outage, and the hours after it; the history is a good one. */
async function live({ queue = QUEUE, drop = "oldest", cuts = [] }: Outage): Promise<Lived> {
  const world = createWorld(base.crypto, {
    board: {
      queue,
      sensors: [
        { driver: SURE, periodSeconds: PERIOD, qos: 1, drop },
        { driver: "spare", periodSeconds: SPARE_PERIOD, qos: 0, drop },
      ],
    },
  });
  const { scheduler, broker, produced, stored } = world;
  const pass = (seconds: number) => scheduler.until(() => false, seconds);
  /** To the next measurement from then on, and a little further: it is in flash by then. */
  async function passTo(seconds: number): Promise<void> {
    await scheduler.until(() => scheduler.now() >= seconds, OUTAGE);
    const { length } = produced;
    await scheduler.until(() => produced.length > length, OUTAGE);
    await pass(BETWEEN);
  }
  try {
    world.boot();
    await passTo(DAY);
    expect(stored.size).toBe(produced.length);
    const before = produced.length;
    broker.setUp(false);
    const boots: number[] = [];
    let found = 0;
    for (const at of cuts) {
      await passTo(DAY + at);
      world.cutNow();
      found = ringOf(world);
      boots.push(produced.length);
    }
    await passTo(DAY + OUTAGE);
    const until = produced.length;
    const inFlash = ringOf(world);
    broker.setUp(true);
    await pass(CALM);
    world.setMeasuring("fails");
    await pass(HOUR);

    const arrived = [...stored];
    expect(await world.judge(arrived)).toEqual([]);
    const dropped = await reportedDrops(world);
    expect(dropped).toBeGreaterThan(0);
    expect(world.points().length).toBe(1 + cuts.length);
    return {
      ...{ before, until, boots, inFlash, arrived, measured: produced.length },
      ofLastBoot: found + produced.length - (boots.at(-1) ?? 0),
      dropped,
    };
  } finally {
    await world.close();
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);

/** All of before the outage, and from `first` on everything. */
const allFrom = (first: number, { before, measured }: Lived) => [
  ...range(0, before),
  ...range(first, measured),
];

describe("three weeks without a broker", () => {
  it("end with the last readings that the queue was told to hold, in order", async () => {
    const lived = await live({});
    expect(lived.until - lived.before).toBeGreaterThan(6 * FLASH);
    expect(lived.inFlash).toBe(FLASH);
    expect(lived.arrived).toEqual(allFrom(lived.until - FLASH, lived));
    expect(lived.dropped).toBe(lived.measured - lived.arrived.length);
  });

  it("end with what the ring has bytes for, in order, where the queue has no other bound", async () => {
    const lived = await live({ queue: { ...QUEUE, flash: ENDLESS } });
    expect(lived.inFlash).toBeGreaterThan(RING_LEAST);
    expect(lived.arrived).toEqual(allFrom(lived.until - lived.inFlash, lived));
    expect(lived.dropped).toBe(lived.measured - lived.arrived.length);
  });

  it("end with the first readings, in order, where the sensors drop their newest", async () => {
    const lived = await live({ drop: "newest" });
    expect(lived.arrived).toEqual([
      ...range(0, lived.before + FLASH),
      ...range(lived.until, lived.measured),
    ]);
    expect(lived.dropped).toBe(lived.measured - lived.arrived.length);
  });

  it("and a boot every four days end with the queue's readings, in order", async () => {
    const cuts = range(1, 6).map((boot) => boot * 4 * DAY);
    const lived = await live({ cuts });
    expect(lived.arrived).toEqual(allFrom(lived.until - FLASH, lived));
    expect(lived.dropped).toBe(lived.ofLastBoot - (lived.measured - lived.until) - FLASH);
  });

  it("and a boot every eight hours end with the readings of the last sessions, in order", async () => {
    const cuts = range(1, 63).map((boot) => boot * 8 * HOUR);
    const lived = await live({ cuts });
    const first = lived.boots.at(-MAX_SESSIONS) as number;
    expect(first).toBeGreaterThan(lived.until - FLASH);
    expect(lived.arrived).toEqual(allFrom(first, lived));
    expect(lived.dropped).toBe(lived.ofLastBoot - (lived.measured - first));
  });
});
