import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fromBuffer } from "../../../cloud/crypto/convert.ts";
import type { AcceptedEvent } from "../../../cloud/receiver/accept-event.ts";
import type { AcceptedReading } from "../../../cloud/receiver/accept-reading.ts";
import type { AcceptedSession } from "../../../cloud/receiver/accept-session.ts";
import {
  createReceipts,
  RECEIPT_INTERVAL,
  type Receipts,
} from "../../../cloud/receiver/receipts.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { parseRandomIvEncrypt0 } from "../../../protocol/cose/encrypt0.ts";
import { MAX_RECEIPT_ENTRIES } from "../../../protocol/receipt.ts";
import type { DeviceSession } from "../../../protocol/session-message.ts";
import { temporaryDirectories } from "../support/temporary.ts";
import { openTestCloud, type TestCloud } from "../support/test-cloud.ts";
import { celsius, openTestDevice, type TestDevice } from "../support/test-device.ts";

const temporary = temporaryDirectories();
let cloud: TestCloud;
let device: TestDevice;
let receipts: Receipts;
let published: { topic: string; payload: Buffer }[];
let failures: unknown[];
let ready: boolean;

beforeEach(async () => {
  cloud = openTestCloud(temporary());
  device = openTestDevice();
  await cloud.register(device);
  published = [];
  failures = [];
  ready = true;
  receipts = createReceipts({
    context: cloud.context,
    publish(topic, payload) {
      published.push({ topic, payload });
      return true;
    },
    ready: () => ready,
    failed: (_device, error) => failures.push(error),
    // Only flush() and a full list send: no test here waits for a timer.
    delayMs: 60_000,
  });
});

afterEach(async () => {
  receipts.close();
  device.close();
  await cloud.close();
});

async function acceptSession(): Promise<{ session: DeviceSession; accepted: AcceptedSession }> {
  const session = device.openSession(cloud.self.publicKey);
  const accepted = await cloud.send(device, "session", session.message);
  return { session, accepted: accepted as AcceptedSession };
}

async function acceptReading(session: DeviceSession): Promise<AcceptedReading> {
  const reading = device.seal(session, celsius(1));
  return (await cloud.send(device, "reading", reading)) as AcceptedReading;
}

async function acceptEvent(): Promise<{ name: Bytes; accepted: AcceptedEvent }> {
  const { message, hash } = device.makeEvent(cloud.self.publicKey);
  const accepted = (await cloud.send(device, "event", message)) as AcceptedEvent;
  return { name: hash.substring(0, 16) as Bytes, accepted };
}

/** What the device reads in the receipts so far, under the session given. */
async function opened(session: DeviceSession) {
  await receipts.flush();
  return published.splice(0).map(({ topic, payload }) => {
    expect(topic).toBe(device.topic("receipt"));
    return device.openReceipt(session, payload);
  });
}

describe("receipts", () => {
  it("tell a session message at once, by the first 16 bytes of its hash", async () => {
    const { session, accepted } = await acceptSession();
    receipts.message(accepted);
    await expect.poll(() => published.length).toBe(1);
    expect(await opened(session)).toEqual([
      { time: cloud.clock.now, messages: [session.hash.substring(0, 16)], readings: [] },
    ]);
  });

  it("gather readings into ranges, and stop at what is not stored", async () => {
    const { session } = await acceptSession();
    const stored = [];
    for (let i = 0; i < 6; i++) stored.push(await acceptReading(session));
    for (const at of [0, 1, 2, 4, 5]) receipts.reading(stored[at] as AcceptedReading, 1);
    expect(await opened(session)).toMatchObject([
      {
        messages: [],
        readings: [
          { sessionKid: session.kid, first: 1, last: 3 },
          { sessionKid: session.kid, first: 5, last: 6 },
        ],
      },
    ]);
  });

  it("are sealed under the newest session, whichever they name", async () => {
    const old = await acceptSession();
    const newest = await acceptSession();
    receipts.message(old.accepted);
    receipts.reading(await acceptReading(old.session), 1);
    const lists = await opened(newest.session);
    expect(lists.flatMap(({ messages }) => messages)).toEqual([old.session.hash.substring(0, 16)]);
    expect(lists.flatMap(({ readings }) => readings)).toMatchObject([
      { sessionKid: old.session.kid, first: 1, last: 1 },
    ]);
  });

  it("leave before a list is longer than a receipt may be", async () => {
    const { session } = await acceptSession();
    const count = 2 * MAX_RECEIPT_ENTRIES + 4;
    for (let i = 0; i < count; i++) {
      const accepted = await acceptReading(session);
      // Every other one, so that each is a range of its own.
      if (i % 2 === 0) receipts.reading(accepted, 1);
    }
    const lists = await opened(session);
    expect(lists.map(({ readings }) => readings.length)).toEqual([MAX_RECEIPT_ENTRIES, 2]);
    expect(failures).toEqual([]);
  });

  it("tell a QoS 0 reading only when the session has heard nothing for 15 minutes", async () => {
    const { session } = await acceptSession();
    const tell = async () => {
      receipts.reading(await acceptReading(session), 0);
      return (await opened(session)).length;
    };
    expect(await tell()).toBe(1);
    expect(await tell()).toBe(0);
    cloud.clock.now += RECEIPT_INTERVAL - 1;
    expect(await tell()).toBe(0);
    cloud.clock.now += 1;
    expect(await tell()).toBe(1);
  });

  it("wait while the link is down, and leave when it is back", async () => {
    const { session, accepted } = await acceptSession();
    ready = false;
    receipts.message(accepted);
    receipts.reading(await acceptReading(session), 1);
    expect(await opened(session)).toEqual([]);
    ready = true;
    expect(await opened(session)).toMatchObject([
      { messages: [session.hash.substring(0, 16)], readings: [{ first: 1, last: 1 }] },
    ]);
    expect(receipts.sent()).toBe(1);
  });

  it("are bounded while the link is down: what is dropped, the device repeats", async () => {
    ready = false;
    const { session, accepted } = await acceptSession();
    for (let i = 0; i < 3 * MAX_RECEIPT_ENTRIES; i++) {
      const reading = await acceptReading(session);
      if (i % 2 === 0) receipts.reading(reading, 1);
    }
    receipts.message(accepted);
    ready = true;
    const lists = await opened(session);
    expect(lists).toHaveLength(1);
    expect(lists[0]?.readings.length).toBeLessThanOrEqual(MAX_RECEIPT_ENTRIES);
    expect(failures).toEqual([]);
  });

  it("never repeat an IV under one key", async () => {
    const { session, accepted } = await acceptSession();
    const ivs = new Set<string>();
    for (let i = 0; i < 50; i++) {
      receipts.message(accepted);
      await receipts.flush();
    }
    await expect.poll(() => published.length).toBe(50);
    for (const { payload } of published) ivs.add(parseRandomIvEncrypt0(fromBuffer(payload)).iv);
    expect(ivs.size).toBe(50);
    await opened(session);
  });
});

describe("receipts of events", () => {
  it("leave at once under the newest session", async () => {
    const { session } = await acceptSession();
    const { name, accepted } = await acceptEvent();
    receipts.message(accepted);
    await expect.poll(() => published.length).toBe(1);
    expect(await opened(session)).toMatchObject([{ messages: [name], readings: [] }]);
  });

  it("wait for the first session of the device, and leave with its own", async () => {
    const events = [await acceptEvent(), await acceptEvent()];
    for (const { accepted } of events) receipts.message(accepted);
    await receipts.flush();
    // The device repeats what it hears nothing of: still one entry.
    receipts.message((events[0] as { accepted: AcceptedEvent }).accepted);
    await receipts.flush();
    expect(published).toEqual([]);
    const { session, accepted } = await acceptSession();
    receipts.message(accepted);
    await expect.poll(() => published.length).toBe(1);
    expect(await opened(session)).toMatchObject([
      { messages: [...events.map(({ name }) => name), session.hash.substring(0, 16)] },
    ]);
    expect(failures).toEqual([]);
  });

  it("are not lost when the session is stored while they look for one", async () => {
    const { name, accepted } = await acceptEvent();
    const { takeReceipt } = cloud.store;
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    // A store that answers late, with what it saw when it was asked.
    const asked = new Promise<void>((resolve) => {
      cloud.store.takeReceipt = async (...args) => {
        const row = await takeReceipt(...args);
        resolve();
        await answered;
        return row;
      };
    });
    receipts.message(accepted);
    await asked;
    cloud.store.takeReceipt = takeReceipt;
    const first = await acceptSession();
    receipts.message(first.accepted);
    answer();
    await expect.poll(() => published.length).toBe(1);
    expect(await opened(first.session)).toMatchObject([
      { messages: [name, first.session.hash.substring(0, 16)] },
    ]);
  });

  it("of a burst are told each once", async () => {
    const { session } = await acceptSession();
    const events = [];
    for (let i = 0; i < 2 * MAX_RECEIPT_ENTRIES + 3; i++) events.push(await acceptEvent());
    for (const { accepted } of events) receipts.message(accepted);
    const lists = await opened(session);
    expect(lists.flatMap(({ messages }) => messages)).toEqual(events.map(({ name }) => name));
    expect(failures).toEqual([]);
  });

  it("that cannot be told are reported, and told when the event comes again", async () => {
    const { session } = await acceptSession();
    const { name, accepted } = await acceptEvent();
    const { takeReceipt } = cloud.store;
    cloud.store.takeReceipt = () => Promise.reject(new Error("disk"));
    receipts.message(accepted);
    await receipts.flush();
    expect(failures).toHaveLength(1);
    cloud.store.takeReceipt = takeReceipt;
    receipts.message(accepted);
    expect(await opened(session)).toMatchObject([{ messages: [name] }]);
  });
});
