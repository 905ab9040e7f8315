/**
 * The life that is cut: first boot, registration, session, readings, an outage with more
 * readings than the queue in memory holds, recovery, a day in which a connect call hangs,
 * and with it a new session.
 */

import type { OpenDeviceCrypto } from "../../simulator/devcrypto/stand-in.ts";
import type { DeviceMemory } from "../support/world/device-memory.ts";
import { createWorld, SURE, type World, type WorldOptions } from "../support/world/world.ts";

const OUTAGE_AT_MS = 60_000;
const OUTAGE_MS = 70_000;
const HANG_AT_MS = 230_000;
const DAY_SECONDS = 86_400;
const AFTER_HANG_MS = 60_000;
/** The last readings are taken in this time, with nothing in their way. */
const CALM_MS = 25_000;
/** Receipts that are under way arrive within this. */
const TAIL_SECONDS = 30;
/** The longest chain of doubled waits, and more. */
const LONGEST_SECONDS = 3 * DAY_SECONDS;

export interface LifeOptions extends WorldOptions {
  /** What else happens in this world. */
  begin?: (world: World) => void;
  /** What else happens to the device's flash when the power goes. */
  sabotage?: (memory: DeviceMemory) => void;
}

export interface Outcome {
  violations: string[];
  /** Points of each boot. */
  points: number[];
  cuts: number;
  world: World;
}

function play(world: World, calm: () => void): void {
  const { scheduler, broker } = world;
  let hangs = false;
  world.connecting = () => {
    if (!hangs) return;
    hangs = false;
    scheduler.block(DAY_SECONDS);
    broker.setUp(true);
    scheduler.at(AFTER_HANG_MS, calm);
  };
  scheduler.at(OUTAGE_AT_MS, () => broker.setUp(false));
  scheduler.at(OUTAGE_AT_MS + OUTAGE_MS, () => broker.setUp(true));
  scheduler.at(HANG_AT_MS, () => {
    hangs = true;
    broker.setUp(false);
    broker.setUp(true);
  });
}

/** Plays the life with the power cut as planned, lets all settle, and judges. */
export async function live(base: OpenDeviceCrypto, options: LifeOptions = {}): Promise<Outcome> {
  const world = createWorld(base, options);
  const { scheduler, produced, stored } = world;
  /** The measurement from which on all must arrive; undefined before the calm. */
  let from: number | undefined;
  let isDone = false;
  let round = 0;

  const due = () =>
    produced.flatMap((values, index) =>
      from !== undefined && index >= from && SURE in values ? [index] : [],
    );
  function calm(): void {
    from = produced.length;
    isDone = false;
    const mine = ++round;
    world.setMeasuring("works");
    scheduler.at(CALM_MS, () => {
      if (mine !== round) return;
      world.setMeasuring("fails");
      isDone = true;
    });
  }
  // What was in the device's memory may be gone: what it measures from now on may not.
  world.onCut = () => {
    options.sabotage?.(world.memory);
    if (from !== undefined) calm();
  };

  try {
    play(world, calm);
    options.begin?.(world);
    world.boot();
    const settled = () => isDone && due().length > 0 && due().every((index) => stored.has(index));
    for (let cuts = -1; cuts !== world.cuts(); ) {
      cuts = world.cuts();
      await scheduler.until(settled, LONGEST_SECONDS);
      // The power may go in these last seconds too: then all begins anew.
      await scheduler.until(() => false, TAIL_SECONDS);
    }
    const violations = await world.judge(due());
    if (!isDone) violations.push("settle: the device never came to rest");
    if (due().length === 0) violations.push("settle: the device measures no more");
    return { violations, points: world.points(), cuts: world.cuts(), world };
  } finally {
    await world.close();
  }
}
