/**
 * Brokers that forget everything, refuse, or lie about the protocol. The device survives
 * each of them, and once an honest broker is back, everything arrives.
 */
import { afterAll, describe, expect, it } from "vitest";
import { burst, HOSTILE, replaying } from "../support/world/hostile-peers.ts";
import type { Peer } from "../support/world/virtual-net.ts";
import { createWorld, openBase, SURE, type World } from "../support/world/world.ts";

/** Long enough for a session and some readings with an honest broker. */
const HONEST_SECONDS = 35;
/** Longer than every timeout of the device's, several times over. */
const HOSTILE_SECONDS = 400;
/** The last reading is taken so long after an honest broker is back. */
const CALM_SECONDS = 20;
const SETTLE_SECONDS = 4 * 3600;
/** Nothing is lost for want of room: what is not delivered is the broker's doing. */
const BOARD = { queue: { readings: 200 } };

const base = openBase();
const other = openBase();
afterAll(() => {
  base.close();
  other.close();
});

/** The peer, all of whose connections end when it goes. */
function mortal(peer: Peer): { peer: Peer; end(): void } {
  const ends: (() => void)[] = [];
  return {
    end() {
      for (const end of ends) end();
    },
    peer: {
      isUp: peer.isUp,
      open(link) {
        ends.push(link.close);
        return peer.open(link);
      },
    },
  };
}

const wait = (world: World, seconds: number) => world.scheduler.until(() => false, seconds);

/** Measurements of QoS 1. */
const sure = (world: World) =>
  world.produced.flatMap((values, index) => (SURE in values ? [index] : []));

async function survive(
  hostile: (world: World) => Peer,
  honestSeconds: number,
  look: (world: World) => void = () => {},
): Promise<void> {
  const world = createWorld(base.crypto, { board: BOARD });
  try {
    world.boot();
    if (honestSeconds > 0) {
      await wait(world, honestSeconds);
      world.broker.setUp(false);
      world.broker.setUp(true);
    }
    const { peer, end } = mortal(hostile(world));
    world.peer = peer;
    if (honestSeconds === 0) world.cutNow();
    await wait(world, HOSTILE_SECONDS);
    look(world);
    end();
    world.peer = world.broker;
    await wait(world, CALM_SECONDS);
    world.setMeasuring("fails");
    const from = world.bootedAt();
    const due = () => sure(world).filter((index) => index >= from);
    await world.scheduler.until(() => due().every((at) => world.stored.has(at)), SETTLE_SECONDS);
    await wait(world, CALM_SECONDS);
    expect(due().length).toBeGreaterThan(20);
    expect(await world.judge(due())).toEqual([]);
  } finally {
    await world.close();
  }
}

/** Receipts that a device got, of a life of its own. */
async function receiptsOf(crypto: typeof base.crypto): Promise<Buffer[]> {
  const world = createWorld(crypto);
  try {
    world.boot();
    await wait(world, 60);
    return world.events.flatMap((event) =>
      event.kind === "got" && event.packet.cmd === "publish"
        ? [event.packet.payload as Buffer]
        : [],
    );
  } finally {
    await world.close();
  }
}

describe.each([
  ["from the start", 0],
  ["after an honest one", HONEST_SECONDS],
])("a device, %s, with a broker that", (_when, honestSeconds) => {
  it.each(Object.entries(HOSTILE))("%s", async (_what, hostile) => {
    await survive(hostile, honestSeconds);
  });

  it("brings the receipts of another device, and of another life of this one", async () => {
    const receipts = [...(await receiptsOf(other.crypto)), ...(await receiptsOf(base.crypto))];
    expect(receipts.length).toBeGreaterThan(4);
    await survive((world) => replaying(world, receipts), honestSeconds);
  });
});

/** A device that recursed would be thousands of calls deeper. */
const OWN_CALLS = 8;
/** For a world that hangs. Its own time is virtual, and a busy machine takes minutes for 10,000 messages. */
const HANG_MS = 1_800_000;

/** Calls on the stack. Only while it counts: each error of a run would note as many. */
function stackDepth(): number {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Infinity;
  try {
    return new Error().stack?.split("\n").length ?? 0;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

describe("a broker that sends 10,000 messages in a burst", { timeout: HANG_MS }, () => {
  /** Calls on the stack at the deepest line of the log. */
  async function deepest(count: number, qos: 0 | 1 | 2): Promise<number> {
    let depth = 0;
    const flood = (world: World): Peer => {
      world.onLog = () => {
        depth = Math.max(depth, stackDepth());
      };
      const honest = world.broker;
      return {
        isUp: honest.isUp,
        open(link) {
          world.scheduler.at(1000, () => link.send(burst(world, count, qos)));
          return honest.open(link);
        },
      };
    };
    await survive(flood, HONEST_SECONDS);
    return depth;
  }

  it.each([0, 1, 2] as const)("of QoS %d finds the device as deep as with one", async (qos) => {
    const one = await deepest(1, qos);
    expect(one).toBeGreaterThan(5);
    // What the device does of its own at the time, such as a record written, is a few calls.
    expect(await deepest(10_000, qos)).toBeLessThanOrEqual(one + OWN_CALLS);
  });
});
