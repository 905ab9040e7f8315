import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Command, CommandDraft, DeviceReply } from "../../../cloud/store/commands.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import {
  deviceOf,
  draftOf,
  hashOf,
  makeCommand,
  NOW,
  openStoreBench,
  type StoreBench,
} from "../support/store-bench.ts";
import { temporaryDirectories } from "../support/temporary.ts";

const temporary = temporaryDirectories();
const DEVICE = deviceOf("a");
const OTHER = deviceOf("b");
let bench: StoreBench;

beforeEach(async () => {
  bench = openStoreBench(temporary());
  await bench.store.registerDevice(DEVICE, NOW);
});
afterEach(() => bench.close());

async function issue(change: Partial<CommandDraft> = {}, store = bench.store): Promise<Command> {
  const command = await store.issueCommand(draftOf(DEVICE, change), makeCommand);
  if (typeof command === "string") throw new Error(`command, expected one, got ${command}`);
  return command;
}

function replyTo(command: Bytes, change: Partial<DeviceReply> = {}): DeviceReply {
  const reply = { device: DEVICE.kid, counter: 5, command, content: "done" as Bytes };
  return { ...reply, at: NOW + 2, deleted: false, ...change };
}

describe("issuing", () => {
  it("keeps the command as it was made, under a counter from the clock", async () => {
    const command = await issue({ userId: undefined });
    expect(command).toEqual({
      ...draftOf(DEVICE, { userId: undefined }),
      ...makeCommand(NOW * 1000),
      ...{ counter: NOW * 1000, state: "issued", reply: undefined },
    });
    expect(await bench.store.findCommand(DEVICE.kid, command.counter)).toEqual(command);
    expect(await bench.store.findCommand(DEVICE.kid, 1)).toBeUndefined();
  });

  it("counts up in one millisecond, with a clock put back, and from two processes", async () => {
    const other = bench.open();
    const counters = [(await issue()).counter, (await issue({}, other)).counter];
    bench.clock.now -= 60_000;
    counters.push((await issue()).counter, (await issue({}, other)).counter);
    bench.clock.now += 120_000;
    counters.push((await issue()).counter);
    const first = NOW * 1000;
    expect(counters).toEqual([first, first + 1, first + 2, first + 3, first + 60_000]);
    const listed = await other.listCommands(DEVICE.kid);
    expect(listed.map(({ counter }) => counter)).toEqual(counters);
  });

  it("stores nothing when the command cannot be made, and takes no counter", async () => {
    const failing = () => {
      throw new Error("no certificate");
    };
    await expect(
      bench.store.issueCommand(draftOf(DEVICE, { action: "delete" }), failing),
    ).rejects.toThrow("no certificate");
    expect(await bench.store.findDevice(DEVICE.kid)).toMatchObject({ state: "registered" });
    expect(await bench.store.listCommands(DEVICE.kid)).toEqual([]);
    expect((await issue()).counter).toBe(NOW * 1000);
  });

  it("is refused for devices that take none", async () => {
    expect(await bench.store.issueCommand(draftOf(OTHER), makeCommand)).toBe("device-unknown");
    await bench.store.registerDevice(OTHER, NOW);
    await bench.store.revokeDevice(OTHER.kid, NOW);
    expect(await bench.store.issueCommand(draftOf(OTHER), makeCommand)).toBe("device-revoked");
    await issue({ action: "delete" });
    expect(await bench.store.issueCommand(draftOf(DEVICE), makeCommand)).toBe("device-deleted");
  });
});

describe("a counter that the device has obeyed", () => {
  it("puts the next one above it, and never back", async () => {
    const ahead = NOW * 1000 + 5000;
    await bench.store.raiseCommandCounter(DEVICE.kid, ahead);
    await bench.store.raiseCommandCounter(DEVICE.kid, 7);
    expect((await issue()).counter).toBe(ahead + 1);
  });

  it("outlives a restored backup", async () => {
    const backup = await bench.backUp();
    const ahead = NOW * 1000 + 5000;
    await bench.store.raiseCommandCounter(DEVICE.kid, ahead);
    await bench.store.close();
    bench.restore(backup);
    expect((await issue({}, bench.open())).counter).toBe(ahead + 1);
  });
});

describe("a command's state", () => {
  it("moves as far as it may, once", async () => {
    const { counter } = await issue();
    const move = (state: "sent" | "expired" | "unconfirmed") =>
      bench.store.moveCommand(DEVICE.kid, counter, state);
    expect([await move("sent"), await move("sent"), await move("unconfirmed")]).toEqual([
      true,
      false,
      true,
    ]);
    expect([await move("sent"), await move("expired")]).toEqual([false, false]);
    expect(await bench.store.moveCommand(DEVICE.kid, 1, "sent")).toBe(false);
  });

  it("expires after its time; a delete is unconfirmed then", async () => {
    const update = await issue();
    const removal = await issue({ action: "delete" });
    expect(await bench.store.expireCommands(NOW + 600)).toBe(0);
    expect(await bench.store.expireCommands(NOW + 601)).toBe(2);
    expect(await bench.store.findCommand(DEVICE.kid, update.counter)).toMatchObject({
      state: "expired",
    });
    expect(await bench.store.findCommand(DEVICE.kid, removal.counter)).toMatchObject({
      state: "unconfirmed",
    });
    expect(await bench.store.findDevice(DEVICE.kid)).toMatchObject({ state: "deleting" });
  });
});

describe("a reply", () => {
  it("is kept with its command, the first one only, late ones too", async () => {
    const { hash, counter } = await issue();
    await bench.store.expireCommands(NOW + 999);
    const name = hash.substring(0, 16) as Bytes;
    expect(await bench.store.commitReply(replyTo(name), hashOf("r"))).toBe("stored");
    expect(await bench.store.commitReply(replyTo(name), hashOf("r"))).toBe("repeat");
    const second = replyTo(hash, { counter: 6, content: "stale" as Bytes });
    expect(await bench.store.commitReply(second, hashOf("s"))).toBe("stored");
    expect(await bench.store.findCommandByHash(DEVICE.kid, name)).toMatchObject({
      ...{ counter, state: "replied", reply: { content: "done", counter: 5, at: NOW + 2 } },
    });
    expect(await bench.store.moveCommand(DEVICE.kid, counter, "expired")).toBe(false);
  });

  it("belongs to a command of its own device, named by enough of its hash", async () => {
    await bench.store.registerDevice(OTHER, NOW);
    const { hash, counter } = await issue();
    const replies = [
      replyTo(hashOf("another command"), { counter: 5 }),
      replyTo(hash.substring(0, 15) as Bytes, { counter: 6 }),
      replyTo(hash, { device: OTHER.kid, counter: 7 }),
    ];
    // Each is known by its name from then on, and goes nowhere.
    for (const reply of replies) {
      const name = hashOf(`reply ${reply.counter}`);
      expect(await bench.store.commitReply(reply, name)).toBe("stored");
      expect(await bench.store.commitReply(reply, name)).toBe("repeat");
    }
    expect(await bench.store.findCommand(DEVICE.kid, counter)).toMatchObject({ state: "issued" });
  });

  it("shares the device counter with the device's other messages", async () => {
    const { hash, counter } = await issue();
    const event = {
      device: DEVICE.kid,
      counter: 5,
      receivedAt: NOW,
      payload: "p" as Bytes,
      bootReport: undefined,
    };
    await bench.store.commitEvent(event, hashOf("e"));
    expect(await bench.store.commitReply(replyTo(hash), hashOf("r"))).toBe("conflict");
    expect(await bench.store.findCommand(DEVICE.kid, counter)).toMatchObject({ state: "issued" });
  });

  it("to a delete makes the tombstone, and only to a delete", async () => {
    const update = await issue();
    await bench.store.commitReply(replyTo(update.hash, { deleted: true }), hashOf("u"));
    expect(await bench.store.findDevice(DEVICE.kid)).toMatchObject({ state: "registered" });
    const removal = await issue({ action: "delete" });
    const refused = replyTo(removal.hash, { counter: 6 });
    await bench.store.commitReply(refused, hashOf("no"));
    expect(await bench.store.findDevice(DEVICE.kid)).toMatchObject({ state: "deleting" });
    const again = await issue({ action: "delete" });
    await bench.store.commitReply(
      replyTo(again.hash, { counter: 7, deleted: true }),
      hashOf("yes"),
    );
    const { publicKey } = DEVICE;
    expect(await bench.store.findDevice(DEVICE.kid)).toMatchObject({
      ...{ state: "deleted", publicKey, certificate: undefined },
    });
    expect(await bench.store.issueCommand(draftOf(DEVICE), makeCommand)).toBe("device-deleted");
    expect(await bench.store.revokeDevice(DEVICE.kid, NOW)).toBe("device-deleted");
  });
});
