/** A board that sleeps deeply between readings, in virtual time. */
import { expect } from "vitest";
import type { Board } from "../../firmware/config.ts";
import type { OpenDeviceCrypto } from "../../simulator/devcrypto/stand-in.ts";
import { createWorld, SURE, type World, type WorldOptions } from "../support/world/world.ts";

/** Seconds. */
export const CYCLE = 300;
const BOARD: Partial<Board> = {
  sensors: [{ driver: SURE, periodSeconds: CYCLE, qos: 1 }],
  queue: { readings: 4, flash: 200 },
  sleep: { seconds: CYCLE },
};
/** Longer than a sleep, a wake that waits in vain, and another after a power cut. */
const LONGEST_CYCLE = CYCLE + 140;

export interface Told {
  slept: number;
}

/** Runs a sleeping board; what `play` leaves must be a good history. */
export function sleepingOn(base: OpenDeviceCrypto) {
  return async function sleeping(
    play: (world: World, told: Told) => Promise<void>,
    options: WorldOptions = {},
  ): Promise<void> {
    const world = createWorld(base, {
      ...options,
      board: { ...BOARD, ...options.board },
      settings: { receiptSeconds: 60 },
    });
    const told: Told = { slept: 0 };
    world.onSleep = () => {
      told.slept++;
    };
    try {
      world.boot();
      await play(world, told);
      expect(world.uncaught).toEqual([]);
    } finally {
      await world.close();
    }
  };
}

/** Lets the board fall asleep so many times more. */
export async function cycles(world: World, told: Told, count: number): Promise<void> {
  const end = told.slept + count;
  const done = await world.scheduler.until(() => told.slept >= end, count * LONGEST_CYCLE);
  expect(done).toBe(true);
}

/** How many messages of a class have gone out. */
export function sent(world: World, messageClass: string): number {
  return world.events.filter(
    (event) =>
      event.kind === "sent" &&
      event.packet.cmd === "publish" &&
      event.packet.topic.endsWith(`/${messageClass}`),
  ).length;
}
