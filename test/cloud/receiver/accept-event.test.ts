import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../../cloud/store/store.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { makeParty } from "../../support/parties.ts";
import { temporaryDirectories } from "../support/temporary.ts";
import { openTestCloud, type TestCloud } from "../support/test-cloud.ts";
import { celsius, DOOR_OPEN, openTestDevice, type TestDevice } from "../support/test-device.ts";

const temporary = temporaryDirectories();
let cloud: TestCloud;
let device: TestDevice;

beforeEach(async () => {
  cloud = openTestCloud(temporary());
  device = openTestDevice();
  await cloud.register(device, "shed");
});

afterEach(async () => {
  device.close();
  await cloud.close();
});

const makeEvent = (pack?: Bytes, counter?: number) =>
  device.makeEvent(cloud.self.publicKey, pack, counter);
const send = (message: Bytes) => cloud.send(device, "event", message);

function flip(message: Bytes, at: number): Bytes {
  const flipped = String.fromCharCode(message.charCodeAt(at) ^ 0xff);
  return (message.substring(0, at) + flipped + message.substring(at + 1)) as Bytes;
}

async function stored() {
  const { sessions, events } = await cloud.store.counts();
  return { sessions, events };
}

describe("events", () => {
  it("are opened and stored, with or without a session of their device", async () => {
    const first = makeEvent(DOOR_OPEN);
    expect(await send(first.message)).toEqual({
      kind: "event",
      device: expect.objectContaining({ name: "shed" }),
      hash: first.hash,
      repeat: false,
      stored: {
        event: {
          ...{ device: device.kid, counter: 1, receivedAt: cloud.clock.now, payload: DOOR_OPEN },
          bootReport: undefined,
        },
        records: [{ name: "door", unit: undefined, value: true, time: undefined }],
        dated: [],
      },
    });
    await cloud.send(device, "session", device.openSession(cloud.self.publicKey).message);
    expect(await send(makeEvent(celsius(2150)).message)).toMatchObject({
      stored: {
        event: { counter: 3 },
        records: [{ name: "temperature", unit: "Cel", value: 21.5 }, { name: "uptime" }],
      },
    });
    expect(await stored()).toEqual({ sessions: 1, events: 2 });
  });

  it("are stored once and taken again, by their hash: unopened, whatever the signature", async () => {
    const { message, hash } = makeEvent();
    await send(message);
    for (const again of [message, flip(message, message.length - 1)])
      expect(await send(again)).toMatchObject({ repeat: true, hash, stored: undefined });
    expect(await stored()).toEqual({ sessions: 0, events: 1 });
  });

  it("are taken in any order", async () => {
    const [first, second] = [makeEvent(), makeEvent()];
    for (const { message } of [second, first])
      expect(await send(message)).toMatchObject({ repeat: false });
  });

  it("with one byte changed are refused and leave nothing", async () => {
    const { message } = makeEvent();
    for (let at = 0; at < message.length; at++) {
      // The budget for forged signatures is another test's.
      cloud.clock.now += 60;
      const outcome = await send(flip(message, at));
      expect(outcome, `byte ${at}`).toMatchObject({ kind: "refused", messageClass: "event" });
      expect(outcome, `byte ${at}`).not.toMatchObject({ reason: "unexpected" });
    }
    expect(await stored()).toEqual({ sessions: 0, events: 0 });
    expect(await send(message)).toMatchObject({ repeat: false });
  });

  it("of another device, or sealed to another cloud, are refused", async () => {
    const other = openTestDevice();
    await cloud.register(other);
    const { message } = other.makeEvent(cloud.self.publicKey);
    expect(await send(message)).toMatchObject({ reason: "kid" });
    expect(await send(device.makeEvent(makeParty().publicKey).message)).toMatchObject({
      reason: "kid",
    });
    other.close();
  });

  it("on the topic of a session are refused, and the other way round", async () => {
    const { message } = makeEvent();
    const session = device.openSession(cloud.self.publicKey);
    expect(await cloud.send(device, "session", message)).toMatchObject({ reason: "signature" });
    expect(await send(session.message)).toMatchObject({ reason: "signature" });
    // Known by their hashes they are not taken either: the class is in what is hashed.
    await send(message);
    await cloud.send(device, "session", session.message);
    expect(await cloud.send(device, "session", message)).toMatchObject({ reason: "signature" });
    expect(await send(session.message)).toMatchObject({ reason: "signature" });
  });

  it("that open to no SenML are refused, authentic or not", async () => {
    for (const [pack, reason] of [
      ["", "cbor"],
      ["\x80", "size"],
      [`${DOOR_OPEN}\x00`, "cbor"],
      ["\x81\xa2\x00\x64door\x03\x64open", "form"],
    ] as [Bytes, string][])
      expect(await send(makeEvent(pack).message)).toMatchObject({ reason });
    expect(await stored()).toEqual({ sessions: 0, events: 0 });
  });

  it("beyond the limit are refused, at the limit they are read", async () => {
    const atLimit = "\0".repeat(4096) as Bytes;
    expect(await send(atLimit)).toMatchObject({ reason: "profile" });
    expect(await send(`${atLimit}\0` as Bytes)).toMatchObject({ reason: "size" });
  });
});

describe("another message with a spent counter", () => {
  it("is verified, then refused as a conflict and counted; forged it is no alarm", async () => {
    await send(makeEvent().message);
    const { message } = makeEvent(celsius(1), 1);
    const forged = flip(message, message.length - 1);
    expect(await send(forged)).toMatchObject({ reason: "signature" });
    expect(await send(message)).toMatchObject({ reason: "counter-conflict" });
    expect((await cloud.store.counts()).refused).toEqual({ signature: 1, "counter-conflict": 1 });
    expect(await stored()).toEqual({ sessions: 0, events: 1 });
  });

  it("is also an event with the counter of a session", async () => {
    const session = device.openSession(cloud.self.publicKey);
    await cloud.send(device, "session", session.message);
    const { message } = makeEvent(DOOR_OPEN, 1);
    expect(await send(message)).toMatchObject({ reason: "counter-conflict" });
    expect(await stored()).toEqual({ sessions: 1, events: 0 });
  });

  it("is also a session with the counter of an event", async () => {
    await send(makeEvent(DOOR_OPEN, 1).message);
    const session = device.openSession(cloud.self.publicKey);
    const sent = () => cloud.send(device, "session", session.message);
    expect(await sent()).toMatchObject({ reason: "counter-conflict" });
    expect(await sent()).toMatchObject({ reason: "counter-conflict" });
    const reading = device.seal(session, celsius(1));
    expect(await cloud.send(device, "reading", reading)).toMatchObject({
      reason: "session-unknown",
    });
    expect(await stored()).toEqual({ sessions: 0, events: 1 });
  });
});

describe("forged events", () => {
  it("spend the same budget as forged session messages", async () => {
    const { message } = makeEvent();
    const session = device.openSession(cloud.self.publicKey);
    const forgedEvent = flip(message, message.length - 1);
    const forgedSession = flip(session.message, session.message.length - 1);
    for (let i = 0; i < 32; i++) {
      expect(await send(forgedEvent)).toMatchObject({ reason: "signature" });
      await cloud.send(device, "session", forgedSession);
    }
    expect(await send(message)).toMatchObject({ reason: "limit" });
    expect(await cloud.send(device, "session", session.message)).toMatchObject({ reason: "limit" });
    cloud.clock.now += 1;
    expect(await send(message)).toMatchObject({ repeat: false });
  });
});

describe("a store that fails", () => {
  const CALLS = ["findDevice", "hasSigned", "commitEvent"] as const satisfies (keyof Store)[];

  it.each(CALLS)(
    "at %s: the message is neither taken nor refused, and is taken later",
    async (call) => {
      let failing = true;
      const faulty = openTestCloud(temporary(), (store) => ({
        ...store,
        [call]: (...args: never[]) =>
          failing
            ? Promise.reject(new Error("disk"))
            : (store[call] as (...args: never[]) => unknown)(...args),
      }));
      await faulty.register(device);
      const { message } = device.makeEvent(faulty.self.publicKey);
      await expect(faulty.send(device, "event", message)).rejects.toThrow("disk");
      failing = false;
      expect(await faulty.send(device, "event", message)).toMatchObject({ repeat: false });
      expect((await faulty.store.counts()).refused).toEqual({});
      await faulty.close();
    },
  );

  it("at countRefusal: the refused message stays unacknowledged", async () => {
    const faulty = openTestCloud(temporary(), (store) => ({
      ...store,
      countRefusal: () => Promise.reject(new Error("disk")),
    }));
    await faulty.register(device);
    await expect(faulty.send(device, "event", "" as Bytes)).rejects.toThrow("disk");
    await faulty.close();
  });
});
