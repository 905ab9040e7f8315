import { describe, expect, it } from "vitest";
import { outcomeOf } from "../../../cloud/operator/outcome.ts";
import { STATUS_REFUSED } from "../../../protocol/reply-message.ts";
import { deliverBench, ordered } from "../support/deliver-bench.ts";

const bench = deliverBench();
const { listen, send } = bench;

describe("two operators at once", () => {
  it("have counters of their own, and each takes its own reply", async () => {
    const { opened } = await listen((one) => ({
      ...{ status: STATUS_REFUSED, detail: one.command.userId.length },
    }));
    const users = ["a", "bb", "ccc", "dddd"];
    const stores = [bench.store, bench.parts.open()];
    const results = await Promise.all(
      users.map(async (userId, at) => {
        const store = stores[at % 2] as typeof bench.store;
        const command = await bench.parts.issue({ userId }, { store });
        return (await send(command, { store })).command;
      }),
    );
    expect(results.map(outcomeOf).map((outcome) => outcome?.detail)).toEqual([1, 2, 3, 4]);
    expect(new Set(results.map(({ counter }) => counter)).size).toBe(users.length);
    expect(new Set(opened.map(({ hash }) => hash)).size).toBe(users.length);
  });

  it("learn who was late: the lower counter comes back stale", async () => {
    await listen(ordered());
    const first = await bench.parts.issue();
    const second = await bench.parts.issue({}, { store: bench.parts.open() });
    expect(outcomeOf((await send(second)).command)?.status).toBe("done");
    const { command } = await send(first);
    expect(outcomeOf(command)).toMatchObject({
      ...{ isDone: false, status: "stale", detail: second.counter },
    });
  });
});

/** A day ahead of this machine's clock, as a provisioner's that was wrong may have been. */
const AHEAD = Date.now() + 86_400_000;

describe("a device that is ahead of the database", () => {
  it("is caught up with after one stale reply", async () => {
    await listen(ordered(AHEAD));
    expect(outcomeOf((await send(await bench.parts.issue())).command)?.status).toBe("stale");
    const again = await bench.parts.issue();
    expect(again.counter).toBe(AHEAD + 1);
    expect(outcomeOf((await send(again)).command)?.isDone).toBe(true);
  });

  it("is not behind a restored backup that has its journal", async () => {
    const backup = await bench.parts.backUp();
    await listen(ordered());
    await bench.store.raiseCommandCounter(bench.device.kid, AHEAD);
    expect((await send(await bench.parts.issue())).command.counter).toBe(AHEAD + 1);
    await bench.parts.restore(backup);
    const { command } = await send(await bench.parts.issue());
    expect(command.counter).toBe(AHEAD + 2);
    expect(outcomeOf(command)?.status).toBe("done");
  });

  it("says so to a restored backup that has lost its journal, once", async () => {
    const backup = await bench.parts.backUp();
    await listen(ordered());
    await bench.store.raiseCommandCounter(bench.device.kid, AHEAD);
    await send(await bench.parts.issue());
    await bench.parts.restore(backup, { isJournalLost: true });
    const stale = await send(await bench.parts.issue());
    expect(outcomeOf(stale.command)).toMatchObject({ status: "stale", detail: AHEAD + 1 });
    expect(outcomeOf((await send(await bench.parts.issue())).command)?.status).toBe("done");
  });
});
