/** What holds sleep off, and for how long: a battery must outlast a cloud that says nothing. */
import type { IPublishPacket } from "mqtt-packet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hashOfClaim } from "../../cloud/claims.ts";
import { TRIAL_SECONDS, writeStoredSettings } from "../../firmware/provision/stored-settings.ts";
import { type Bytes, fromHex } from "../../protocol/bytes.ts";
import type { Update } from "../../protocol/update-parameters.ts";
import { makeWorldAuthority, type WorldAuthority } from "../support/world/authority.ts";
import { FIRST_DAY } from "../support/world/memory-cloud.ts";
import { order } from "../support/world/order.ts";
import { openBase, type World } from "../support/world/world.ts";
import { CYCLE, cycles, sent, sleepingOn, type Told } from "./sleeping.ts";

const base = openBase();
const sleeping = sleepingOn(base.crypto);
afterAll(() => base.close());

/** The default of `sleep.awakeSeconds`, with the good-bye. */
const AWAKE = 60;
const CLAIM = "000102030405060708090a0b0c0d0e0f";

let authority: WorldAuthority;

beforeAll(async () => {
  authority = await makeWorldAuthority(FIRST_DAY);
  authority.trust.enrolment = {
    deviceId: "shed" as Bytes,
    userId: "ann" as Bytes,
    claim: fromHex(CLAIM) as Bytes,
  };
});

/** Runs a board that enrols before it has a session; its claim is good. */
function enrolling(play: (world: World, told: Told) => Promise<void>, change = {}): Promise<void> {
  return sleeping(
    async (world, told) => {
      await world.cloud.store.makeClaim({
        ...{ hash: hashOfClaim(CLAIM), userId: "ann", deviceId: undefined },
        ...{ madeAt: FIRST_DAY, expiresAt: FIRST_DAY + 86_400 },
      });
      await play(world, told);
    },
    { authority: { ...authority, trust: { ...authority.trust, ...change } } },
  );
}

/** Seconds that the board is awake until it sleeps again, from its next wake on. */
async function awakeOf(world: World, told: Told): Promise<number> {
  const wakesAt = world.scheduler.now() + CYCLE;
  await cycles(world, told, 1);
  return world.scheduler.now() - wakesAt;
}

const publishes = (world: World, messageClass: string): IPublishPacket[] =>
  world.events.flatMap((event) =>
    event.kind === "sent" &&
    event.packet.cmd === "publish" &&
    event.packet.topic.endsWith(`/${messageClass}`)
      ? [event.packet]
      : [],
  );

describe("a command", () => {
  const UPDATE: Update = { sensors: [{ sensor: 0, periodSeconds: 77, qos: 1, drop: "newest" }] };

  it("that waited through a sleep is obeyed, and its reply receipted, before the next", async () => {
    await enrolling(async (world, told) => {
      await cycles(world, told, 2);
      const { replied } = await order(world, authority, UPDATE);
      expect(await awakeOf(world, told)).toBeLessThan(5);
      expect(await replied()).toEqual([true]);
      expect([...world.memory.records.keys()].filter((id) => id.startsWith("r"))).toEqual([]);
      await cycles(world, told, 2);
      expect(sent(world, "reply")).toBe(1);
    });
  });

  it("whose reply nobody receipts holds it for a while, and the reply comes with the next wake", async () => {
    await enrolling(async (world, told) => {
      await cycles(world, told, 2);
      const { replied } = await order(world, authority, UPDATE);
      world.cloud.setDeaf(true);
      const awake = await awakeOf(world, told);
      expect([awake > AWAKE, awake < AWAKE + 2]).toEqual([true, true]);
      expect(await replied()).toEqual([false]);
      world.cloud.setDeaf(false);
      expect(await awakeOf(world, told)).toBeLessThan(5);
      expect(await replied()).toEqual([true]);
      // Its reading may be what holds it; the reply alone does too.
      world.setMeasuring("fails");
      await order(world, authority, {
        sensors: [{ sensor: 0, periodSeconds: 88, qos: 1, drop: "oldest" }],
      });
      world.cloud.setDeaf(true);
      expect(await awakeOf(world, told)).toBeGreaterThan(AWAKE);
    });
  });
});

describe("a trial of new networks", () => {
  const brokers = [{ host: "new.example" as Bytes, port: 1883, tls: false, maxQos: 2 as const }];

  function beginTrial(world: World): void {
    writeStoredSettings(
      {
        readRecord: (id) => world.memory.records.get(id),
        writeRecord: (id, content) => void world.memory.records.set(id, content),
        eraseRecord: (id) => void world.memory.records.delete(id),
        eraseAll: () => world.memory.records.clear(),
      },
      { v: 1, trial: { brokers } },
    );
  }
  const isOnTrial = (world: World) => world.memory.records.get("set")?.includes('"trial"');

  it("that ends well lets it sleep", async () => {
    await sleeping(async (world, told) => {
      await cycles(world, told, 2);
      beginTrial(world);
      expect(await awakeOf(world, told)).toBeLessThan(5);
      expect(isOnTrial(world)).toBe(false);
    });
  });

  it("holds it until it has failed, however long that takes, and no longer", async () => {
    await sleeping(async (world, told) => {
      await cycles(world, told, 2);
      beginTrial(world);
      world.broker.setUp(false);
      const wakesAt = world.scheduler.now() + CYCLE;
      const sleepsAt = told.slept;
      const done = await world.scheduler.until(
        () => told.slept > sleepsAt || !isOnTrial(world),
        CYCLE + TRIAL_SECONDS + 5,
      );
      expect([done, told.slept]).toEqual([true, sleepsAt]);
      expect(world.scheduler.now() - wakesAt).toBeGreaterThan(TRIAL_SECONDS - 1);
      // Back to what worked: the boot that follows is bounded as any.
      await cycles(world, told, 1);
      expect(world.scheduler.now() - wakesAt).toBeLessThan(TRIAL_SECONDS + AWAKE + 5);
      world.broker.setUp(true);
      await cycles(world, told, 2);
      expect(await world.judge(world.produced.map((_values, index) => index))).toEqual([]);
    });
  });
});

describe("an enrolment", () => {
  it("that is answered ends in a session, a reading and sleep", async () => {
    await enrolling(async (world, told) => {
      await cycles(world, told, 1);
      expect(world.scheduler.now()).toBeLessThan(20);
      expect([world.memory.counter, world.stored.size]).toEqual([2, 1]);
      await cycles(world, told, 3);
      // Enrolment, session and health record.
      expect([sent(world, "enrol"), world.memory.counter, world.stored.size]).toEqual([1, 3, 4]);
    });
  });

  it("that nobody answers is asked for anew at each wake, in the same bytes", async () => {
    await enrolling(async (world, told) => {
      world.cloud.setDeaf(true);
      for (let wake = 1; wake <= 4; wake++) {
        const awake = await awakeOf(world, told);
        if (wake > 1) expect([awake > AWAKE, awake < AWAKE + 2]).toEqual([true, true]);
        expect(sent(world, "enrol")).toBeGreaterThanOrEqual(wake);
      }
      const payloads = publishes(world, "enrol").map(({ payload }) => payload.toString("hex"));
      expect(new Set(payloads).size).toBe(1);
      expect([world.memory.counter, world.produced.length]).toEqual([1, 0]);
      world.cloud.setDeaf(false);
      await cycles(world, told, 2);
      expect(world.stored.size).toBe(2);
    });
  });

  it("whose answer comes while it sleeps goes on from there", async () => {
    await enrolling(async (world, told) => {
      world.cloud.setDeaf(true);
      await cycles(world, told, 1);
      const [request] = publishes(world, "enrol");
      world.cloud.setDeaf(false);
      await world.cloud.take(request?.topic as string, request?.payload as Buffer, 2);
      expect(await awakeOf(world, told)).toBeLessThan(10);
      expect(world.stored.size).toBe(1);
    });
  });

  it("of a board that streams already holds it as well", async () => {
    await enrolling(async (world, told) => {
      await cycles(world, told, 2);
      world.cloud.setDeaf(["enrol"]);
      const { replied } = await order(world, authority);
      const awake = await awakeOf(world, told);
      expect([awake > AWAKE, awake < AWAKE + 2]).toEqual([true, true]);
      expect([await replied(), world.stored.size]).toEqual([[true], 3]);
      world.cloud.setDeaf(false);
      expect(await awakeOf(world, told)).toBeLessThan(10);
      expect(await awakeOf(world, told)).toBeLessThan(5);
      expect(sent(world, "enrol")).toBeGreaterThanOrEqual(3);
    });
  });

  it("without a certificate of the cloud waits for one no longer than for a receipt", async () => {
    await enrolling(
      async (world, told) => {
        await cycles(world, told, 1);
        const awake = await awakeOf(world, told);
        expect([awake > AWAKE, awake < AWAKE + 2]).toEqual([true, true]);
        expect([sent(world, "enrol"), world.memory.counter]).toEqual([0, 0]);
      },
      { cloudCertificate: undefined },
    );
  });
});

describe("a session without a receipt", () => {
  it("holds it for a while in each wake, and goes on from wake to wake", async () => {
    await sleeping(async (world, told) => {
      world.cloud.setDeaf(true);
      for (let wake = 1; wake <= 5; wake++) {
        const awake = await awakeOf(world, told);
        if (wake > 1) expect([awake > AWAKE, awake < AWAKE + 2]).toEqual([true, true]);
      }
      expect([world.memory.counter, world.produced.length]).toEqual([1, 5]);
      world.cloud.setDeaf(false);
      await cycles(world, told, 2);
      expect(await awakeOf(world, told)).toBeLessThan(5);
      expect(await world.judge(world.produced.map((_values, index) => index))).toEqual([]);
    });
  });
});

describe("a sensor", () => {
  it("that never answers holds it for a while", async () => {
    await sleeping(async (world, told) => {
      await cycles(world, told, 2);
      world.setMeasuring("hangs");
      const awake = await awakeOf(world, told);
      expect([awake > AWAKE, awake < AWAKE + 2]).toEqual([true, true]);
    });
  });
});
