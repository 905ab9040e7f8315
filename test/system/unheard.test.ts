/** A broker that takes everything and brings no receipts: its connection is ended, and one anew brings them. */
import { afterAll, describe, expect, it } from "vitest";
import { makeWorldAuthority } from "../support/world/authority.ts";
import { FIRST_DAY } from "../support/world/memory-cloud.ts";
import { order } from "../support/world/order.ts";
import {
  createWorld,
  openBase,
  SURE,
  type World,
  type WorldOptions,
} from "../support/world/world.ts";

/** Until readings stream, with receipts. */
const STREAMING_SECONDS = 40;
/** The world's first repeat comes after 10 s, the next after 20 s and 40 s more, each a quarter early or late. */
const LEAST_SECONDS = 50;
const MOST_SECONDS = 100;

const DAY_SECONDS = 86_400;
/** A device takes as long to obey a command, and the cloud to store its reply, and longer. */
const LOOK_SECONDS = 15;

const base = openBase();
afterAll(() => base.close());

const wait = (world: World, seconds: number) => world.scheduler.until(() => false, seconds);

/** A world whose device streams. */
async function streaming(options: WorldOptions = {}): Promise<World> {
  const world = createWorld(base.crypto, options);
  world.boot();
  await wait(world, STREAMING_SECONDS);
  expect(lines(world, / state: streaming$/)).toHaveLength(1);
  return world;
}

const lines = (world: World, pattern: RegExp) => world.log.filter((line) => pattern.test(line));
const ends = (world: World) => lines(world, / mqtt: unheard; next attempt/);
const repeats = (world: World) => lines(world, /no receipt, sending again/).length;
const subscriptions = (world: World) =>
  world.events.filter((event) => event.kind === "sent" && event.packet.cmd === "subscribe").length;
const sure = (world: World) =>
  world.produced.flatMap((values, index) => (SURE in values ? [index] : []));

describe("a device whose broker loses its subscription without a word", () => {
  it("subscribes anew after three repeats, and hears of all that it sent", async () => {
    const world = await streaming();
    const before = repeats(world);
    try {
      world.broker.forgetSubscriptions();
      await wait(world, LEAST_SECONDS);
      expect([ends(world).length, subscriptions(world)]).toEqual([0, 1]);
      await wait(world, MOST_SECONDS - LEAST_SECONDS);
      expect([ends(world).length, subscriptions(world)]).toEqual([1, 2]);
      await wait(world, 2 * STREAMING_SECONDS);
      world.setMeasuring("fails");
      await wait(world, STREAMING_SECONDS);
      expect(repeats(world)).toBe(before + 3);
      // Nothing waits any more: hours go by in silence.
      await wait(world, 4 * 3600);
      expect([ends(world).length, repeats(world)]).toEqual([1, before + 3]);
      expect(await world.judge(sure(world))).toEqual([]);
    } finally {
      await world.close();
    }
  });

  it("does so again each time it happens, and not in between", async () => {
    const world = await streaming();
    try {
      for (let time = 1; time <= 3; time++) {
        world.broker.forgetSubscriptions();
        await wait(world, 2 * MOST_SECONDS);
        expect(ends(world)).toHaveLength(time);
        await wait(world, 10 * MOST_SECONDS);
        expect(ends(world)).toHaveLength(time);
      }
    } finally {
      await world.close();
    }
  });
});

describe("a device whose broker loses the subscription to commands alone", () => {
  it("hears them again on the connection of the next day, though nothing was missed", async () => {
    const authority = await makeWorldAuthority(FIRST_DAY);
    const world = await streaming({ authority });
    const before = repeats(world);
    const renewals = () => lines(world, / mqtt: renewed/).length;
    try {
      world.setMeasuring("fails");
      await wait(world, STREAMING_SECONDS);
      world.broker.forgetSubscriptions("/command");
      const { send, replied } = await order(world, authority);
      await wait(world, DAY_SECONDS - 3 * STREAMING_SECONDS);
      send();
      await wait(world, LOOK_SECONDS);
      expect([await replied(), renewals(), subscriptions(world)]).toEqual([[false], 0, 1]);
      await wait(world, 3 * STREAMING_SECONDS);
      send();
      await wait(world, LOOK_SECONDS);
      expect([await replied(), renewals(), subscriptions(world)]).toEqual([[true], 1, 2]);
      expect([ends(world).length, repeats(world)]).toEqual([0, before]);
      expect(await world.judge(sure(world))).toEqual([]);
    } finally {
      await world.close();
    }
  });
});

describe("a device whose cloud is away", () => {
  it("goes on with a connection anew each few days, and none is renewed in between", async () => {
    const world = await streaming();
    try {
      world.setMeasuring("fails");
      await wait(world, STREAMING_SECONDS);
      world.setMeasuring("works");
      world.cloud.setDeaf(true);
      await wait(world, STREAMING_SECONDS);
      world.setMeasuring("fails");
      // The first repeats are done with: one a day from here on.
      await wait(world, 3 * DAY_SECONDS);
      for (let times = 0; times < 2; times++) {
        const [ended, repeated] = [ends(world).length, repeats(world)];
        await wait(world, 5 * DAY_SECONDS);
        expect(ends(world).length).toBeGreaterThan(ended);
        expect(repeats(world)).toBeGreaterThan(repeated + 2);
      }
      world.cloud.setDeaf(false);
      await wait(world, 2 * DAY_SECONDS);
      expect(await world.judge(sure(world))).toEqual([]);
    } finally {
      await world.close();
    }
  });
});

describe("a device without a connection", () => {
  it("does not count the repeats of that time against the next connection", async () => {
    const world = await streaming();
    try {
      world.broker.forgetSubscriptions();
      await wait(world, LEAST_SECONDS);
      world.broker.setUp(false);
      await wait(world, 3600);
      world.broker.setUp(true);
      await wait(world, 600);
      expect(ends(world)).toEqual([]);
      expect(lines(world, / state: streaming$/).length).toBeGreaterThan(1);
    } finally {
      await world.close();
    }
  });
});
