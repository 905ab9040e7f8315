/** A board that sleeps deeply between readings, in virtual time: its session, its queue, its power. */
import { afterAll, describe, expect, it } from "vitest";
import type { Bytes } from "../../protocol/bytes.ts";
import { openBase, SURE, type World } from "../support/world/world.ts";
import { CYCLE, cycles, sent, sleepingOn } from "./sleeping.ts";

const base = openBase();
afterAll(() => base.close());
const sleeping = sleepingOn(base.crypto);

const all = (world: World) => world.produced.map((_values, index) => index);

/** [session, sequence] of each reading in the order of measuring, and the messages of a class that went out. */
async function readingsOf(world: World): Promise<number[][]> {
  const { readings } = await world.cloud.content(world.thumbprint);
  const index = (values: { [name: string]: number | boolean }) => values[SURE] as number;
  return readings
    .sort((one, other) => index(one.values) - index(other.values))
    .map(({ session, sequence }) => [session, sequence]);
}

const upTo = (session: number, count: number) =>
  Array.from({ length: count }, (_, at) => [session, at + 1]);

describe("a board that sleeps", () => {
  it("goes on in one session, number by number, each wake a reading and no more", async () => {
    await sleeping(async (world, told) => {
      await cycles(world, told, 40);
      expect(await world.judge(all(world))).toEqual([]);
      expect(world.produced).toHaveLength(40);
      expect(await readingsOf(world)).toEqual(upTo(1, 40));
      // Once at its first boot, and again until it was registered.
      expect(sent(world, "session")).toBeLessThan(4);
      // The event is the health record.
      expect([sent(world, "reading"), sent(world, "event")]).toEqual([40, 1]);
      expect(world.memory.counter).toBe(2);
    });
  });

  it("is awake for seconds when all is well, and says good-bye to the broker", async () => {
    await sleeping(async (world, told) => {
      await cycles(world, told, 3);
      const wokeAt = world.scheduler.now() + CYCLE;
      await cycles(world, told, 1);
      expect(world.scheduler.now() - wokeAt).toBeLessThan(3);
      expect(world.events.at(-1)).toMatchObject({ kind: "sent", packet: { cmd: "disconnect" } });
    });
  });

  it("writes one record in a cycle when all is well", async () => {
    await sleeping(async (world, told) => {
      await cycles(world, told, 3);
      const ring = Buffer.from(world.memory.ring);
      const records = new Map(world.memory.records);
      await cycles(world, told, 5);
      expect(world.memory.ring.equals(ring)).toBe(true);
      records.set("sleep", world.memory.records.get("sleep") as Bytes);
      expect(world.memory.records).toEqual(records);
    });
  });

  it("keeps what it measured while the broker is down, and delivers it in order", async () => {
    await sleeping(async (world, told) => {
      await cycles(world, told, 3);
      world.broker.setUp(false);
      await cycles(world, told, 12);
      expect(world.stored.size).toBe(3);
      world.broker.setUp(true);
      await cycles(world, told, 2);
      expect(await world.judge(all(world))).toEqual([]);
      expect(await readingsOf(world)).toEqual(upTo(1, 17));
    });
  });

  it("loses nothing when its first broker comes after a hundred sleeps", async () => {
    await sleeping(async (world, told) => {
      world.broker.setUp(false);
      await cycles(world, told, 100);
      world.broker.setUp(true);
      await cycles(world, told, 6);
      expect(await world.judge(all(world))).toEqual([]);
      expect(await readingsOf(world)).toEqual(upTo(1, 106));
      // One session, and one health record.
      expect(world.memory.counter).toBe(2);
    });
  });

  it("gives its session again to a cloud that leaves it without a receipt", async () => {
    await sleeping(async (world, told) => {
      await cycles(world, told, 3);
      world.broker.forgetSubscriptions();
      const before = sent(world, "session");
      world.cloud.setDeaf(true);
      await cycles(world, told, 2);
      world.cloud.setDeaf(false);
      await cycles(world, told, 2);
      expect(sent(world, "session")).toBeGreaterThan(before);
      expect(await world.judge(all(world))).toEqual([]);
      expect(await readingsOf(world)).toEqual(upTo(1, 7));
    });
  });

  it("takes a new session at a wake once the old one is a day old", async () => {
    await sleeping(async (world, told) => {
      const perDay = 86_400 / CYCLE;
      await cycles(world, told, perDay + 10);
      // A health record at the second wake, and a day later.
      expect(sent(world, "event")).toBe(2);
      expect(await world.judge(all(world))).toEqual([]);
      const rows = await readingsOf(world);
      const first = rows.filter(([session]) => session === 1).length;
      expect(first).toBeGreaterThan(perDay - 10);
      // The first wake is longer, and a day is judged by whole seconds.
      expect(first).toBeLessThan(perDay + 4);
      expect(rows).toEqual([...upTo(1, first), ...upTo(4, rows.length - first)]);
    });
  });

  it("takes a new session when the board file says earlier", async () => {
    const board = { session: { rekeySeconds: 1000 } };
    await sleeping(
      async (world, told) => {
        await cycles(world, told, 12);
        expect(await world.judge(all(world))).toEqual([]);
        // With one health record.
        expect(world.memory.counter).toBeGreaterThanOrEqual(4);
        expect(world.memory.counter).toBeLessThanOrEqual(5);
      },
      { board },
    );
  });

  it("connects and sleeps though its sensor fails", async () => {
    await sleeping(async (world, told) => {
      await cycles(world, told, 2);
      world.setMeasuring("fails");
      const connects = () =>
        world.events.filter((event) => event.kind === "sent" && event.packet.cmd === "connect");
      const before = connects().length;
      await cycles(world, told, 3);
      expect(connects()).toHaveLength(before + 3);
      world.setMeasuring("works");
      await cycles(world, told, 1);
      expect(await world.judge(all(world))).toEqual([]);
      expect(await readingsOf(world)).toEqual(upTo(1, 3));
    });
  });
});

describe("the power of a board that sleeps", () => {
  it("cut while it sleeps is a boot like any other: a new session", async () => {
    await sleeping(async (world, told) => {
      for (let round = 1; round <= 3; round++) {
        await cycles(world, told, 3);
        world.cutNow();
      }
      await cycles(world, told, 2);
      expect(await world.judge(all(world))).toEqual([]);
      expect(await readingsOf(world)).toEqual(
        [upTo(1, 3), upTo(3, 3), upTo(5, 3), upTo(7, 2)].flat(),
      );
    });
  });

  it.each([
    ["finds the broker", true],
    ["finds no broker", false],
  ])(
    "cut at each instant of a wake that %s repeats no nonce and costs nothing that was receipted",
    {
      timeout: 300_000,
    },
    async (_name, isUp) => {
      /** Three cycles, the broker as said in the last, then two calm ones. */
      async function live(plan: number[]): Promise<number[]> {
        let points: number[] = [];
        await sleeping(
          async (world, told) => {
            await cycles(world, told, 2);
            world.broker.setUp(isUp);
            await cycles(world, told, 1);
            points = world.points();
            world.broker.setUp(true);
            await cycles(world, told, 1);
            const from = world.produced.length;
            await cycles(world, told, 2);
            const due = all(world).filter((index) => index >= from);
            expect([plan, await world.judge(due)]).toEqual([plan, []]);
            expect(world.cuts()).toBe(plan.length > 0 ? 1 : 0);
            // The cut has cost one session: no wake after it shared its key.
            const sessions = (await readingsOf(world)).map(([session]) => session);
            expect(new Set(sessions).size).toBe(1 + world.cuts());
          },
          { plan },
        );
        return points;
      }
      const points = await live([]);
      const last = points.length - 1;
      // A first boot has its own tests: here it is the wakes, each with its fall into sleep.
      for (let wake = isUp ? 1 : last; wake <= last; wake++)
        for (let at = 1; at <= (points[wake] as number); at++)
          await live([...Array<number>(wake).fill(0), at]);
      expect(points[last]).toBeGreaterThan(10);
    },
  );

  it("cut again and again around the sleep repeats nothing either", async () => {
    await sleeping(async (world, told) => {
      for (let round = 0; round < 60; round++) {
        await cycles(world, told, 1);
        // In the sleep, at the wake, and at any moment of the second after it.
        const wait = CYCLE - 1 + (round % 20) / 10;
        await world.scheduler.until(() => false, wait);
        world.cutNow();
      }
      const from = world.produced.length + 1;
      await cycles(world, told, 4);
      const violations = await world.judge(all(world).filter((index) => index >= from));
      expect(violations.filter((violation) => !violation.startsWith("packet-id"))).toEqual([]);
    });
  });
});
