import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Bytes } from "../../../protocol/bytes.ts";
import { MAX_RECORDS } from "../../../protocol/senml.ts";
import { makeParty } from "../../support/parties.ts";
import { temporaryDirectories } from "../support/temporary.ts";
import { openTestCloud, type TestCloud } from "../support/test-cloud.ts";
import { celsius, openTestDevice, type TestDevice, wire } from "../support/test-device.ts";

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

/** A stored session of the device. */
async function openStored(of = device) {
  const session = of.openSession(cloud.self.publicKey);
  expect(await cloud.send(of, "session", session.message)).toMatchObject({ repeat: false });
  return session;
}

function flip(message: Bytes, at: number): Bytes {
  const flipped = String.fromCharCode(message.charCodeAt(at) ^ 0xff);
  return (message.substring(0, at) + flipped + message.substring(at + 1)) as Bytes;
}

async function storedCounts() {
  const { sessions, readings, records } = await cloud.store.counts();
  return { sessions, readings, records };
}

describe("session messages", () => {
  it("are stored once and taken again", async () => {
    const session = await openStored();
    const again = await cloud.send(device, "session", session.message);
    expect(again).toMatchObject({ kind: "session", repeat: true, hash: session.hash });
    expect(await storedCounts()).toEqual({ sessions: 1, readings: 0, records: 0 });
  });

  it("are taken in any order", async () => {
    const [first, second] = [1, 2].map(() => device.openSession(cloud.self.publicKey));
    for (const session of [second, first])
      expect(await cloud.send(device, "session", session?.message as Bytes)).toMatchObject({
        kind: "session",
        repeat: false,
      });
  });

  it("sealed to a key that the cloud had before are opened, and to no other", async () => {
    const before = [makeParty(), makeParty()];
    const renewed = openTestCloud(temporary(), undefined, before);
    await renewed.register(device);
    for (const { publicKey } of [...before, renewed.self]) {
      const { message } = device.openSession(publicKey);
      expect(await renewed.send(device, "session", message)).toMatchObject({ repeat: false });
      const event = device.makeEvent(publicKey).message;
      expect(await renewed.send(device, "event", event)).toMatchObject({ repeat: false });
    }
    const elsewhere = device.openSession(makeParty().publicKey).message;
    expect(await renewed.send(device, "session", elsewhere)).toMatchObject({ reason: "kid" });
    const { message } = device.openSession(before[0]?.publicKey as Bytes);
    const forged = flip(message, message.length - 1);
    expect(await renewed.send(device, "session", forged)).toMatchObject({ reason: "signature" });
    await renewed.close();
  });

  it("with one byte changed are refused and leave nothing", async () => {
    const { message } = device.openSession(cloud.self.publicKey);
    for (let at = 0; at < message.length; at++) {
      // The budget for forged signatures is another test's.
      cloud.clock.now += 60;
      const outcome = await cloud.send(device, "session", flip(message, at));
      expect(outcome, `byte ${at}`).toMatchObject({ kind: "refused", messageClass: "session" });
      expect(outcome, `byte ${at}`).not.toMatchObject({ reason: "unexpected" });
    }
    expect(await storedCounts()).toEqual({ sessions: 0, readings: 0, records: 0 });
    expect(await cloud.send(device, "session", message)).toMatchObject({ repeat: false });
  });

  it("cut short or followed by a byte are refused", async () => {
    const { message } = device.openSession(cloud.self.publicKey);
    for (let length = 0; length < message.length; length++)
      expect(
        await cloud.send(device, "session", message.substring(0, length) as Bytes),
      ).toMatchObject({ kind: "refused" });
    expect(await cloud.send(device, "session", `${message}\0` as Bytes)).toMatchObject({
      reason: "cbor",
    });
  });

  it("of another device are refused by the topic's key id", async () => {
    const other = openTestDevice();
    await cloud.register(other);
    const session = other.openSession(cloud.self.publicKey);
    expect(await cloud.send(device, "session", session.message)).toMatchObject({ reason: "kid" });
    other.close();
  });

  it("sealed to another cloud are refused", async () => {
    const session = device.openSession(makeParty().publicKey);
    expect(await cloud.send(device, "session", session.message)).toMatchObject({ reason: "kid" });
  });

  it("that are another message with a stored counter are refused as a conflict", async () => {
    const session = device.openSession(cloud.self.publicKey);
    const { crypto } = cloud.context;
    const place = (device.thumbprint + session.kid) as Bytes;
    // As after a restored flash: the cloud knows this counter from another message.
    await cloud.store.commitSession(
      {
        device: device.kid,
        counter: 1,
        sealedKey: "s".repeat(44) as Bytes,
        baseIv: "i".repeat(12) as Bytes,
        committedAt: 0,
      },
      crypto.hashCompute(place),
    );
    expect(await cloud.send(device, "session", session.message)).toMatchObject({
      reason: "counter-conflict",
    });
    // Verified first: a forgery is no alarm.
    const forged = flip(session.message, session.message.length - 1);
    expect(await cloud.send(device, "session", forged)).toMatchObject({ reason: "signature" });
  });

  it("forged by the dozen are refused unverified, until time has passed", async () => {
    const { message } = device.openSession(cloud.self.publicKey);
    const forged = flip(message, message.length - 1);
    for (let i = 0; i < 64; i++)
      expect(await cloud.send(device, "session", forged)).toMatchObject({ reason: "signature" });
    expect(await cloud.send(device, "session", message)).toMatchObject({ reason: "limit" });
    cloud.clock.now += 1;
    expect(await cloud.send(device, "session", message)).toMatchObject({ kind: "session" });
    expect((await cloud.store.counts()).refused).toEqual({ signature: 64, limit: 1 });
  });
});

describe("readings", () => {
  it("are opened and stored with their records", async () => {
    const session = await openStored();
    const outcome = await cloud.send(device, "reading", device.seal(session, celsius(2150)));
    expect(outcome).toMatchObject({
      kind: "reading",
      repeat: false,
      device: { name: "shed" },
      reading: {
        session: 1,
        sequence: 1,
        records: [
          { name: "temperature", unit: "Cel", value: 21.5, time: undefined },
          { name: "uptime", unit: "s", value: 5 },
        ],
      },
    });
    expect(await storedCounts()).toEqual({ sessions: 1, readings: 1, records: 2 });
  });

  it("replayed are taken as repeats and stored once", async () => {
    const session = await openStored();
    const reading = device.seal(session, celsius(1));
    await cloud.send(device, "reading", reading);
    for (let i = 0; i < 3; i++)
      expect(await cloud.send(device, "reading", reading)).toMatchObject({ repeat: true });
    expect(await storedCounts()).toEqual({ sessions: 1, readings: 1, records: 2 });
  });

  it("are taken in any order, from any session, also when its key left the cache", async () => {
    const sessions = [];
    for (let i = 0; i < 6; i++) sessions.push(await openStored());
    const readings = sessions.flatMap((session) =>
      [1, 2].map((value) => device.seal(session, celsius(value))),
    );
    for (const reading of readings.reverse())
      expect(await cloud.send(device, "reading", reading)).toMatchObject({ repeat: false });
    expect(await storedCounts()).toEqual({ sessions: 6, readings: 12, records: 24 });
  });

  it("with one byte changed are refused and leave nothing", async () => {
    const session = await openStored();
    const reading = device.seal(session, celsius(2150));
    for (let at = 0; at < reading.length; at++) {
      const outcome = await cloud.send(device, "reading", flip(reading, at));
      expect(outcome, `byte ${at}`).toMatchObject({ kind: "refused", messageClass: "reading" });
      expect(outcome, `byte ${at}`).not.toMatchObject({ reason: "unexpected" });
    }
    expect(await storedCounts()).toEqual({ sessions: 1, readings: 0, records: 0 });
  });

  it("of a session nobody stored are refused, counted and not stored", async () => {
    const session = device.openSession(cloud.self.publicKey);
    const reading = device.seal(session, celsius(1));
    expect(await cloud.send(device, "reading", reading)).toMatchObject({
      reason: "session-unknown",
    });
    await cloud.send(device, "session", session.message);
    expect(await cloud.send(device, "reading", reading)).toMatchObject({ repeat: false });
  });

  it("moved to another device with a session of the same counter are refused", async () => {
    const other = openTestDevice();
    await cloud.register(other);
    const session = await openStored();
    await openStored(other);
    const reading = device.seal(session, celsius(1));
    expect(await cloud.send(other, "reading", reading)).toMatchObject({ reason: "decrypt" });
    other.close();
  });

  it("that open to no SenML are refused, authentic or not", async () => {
    const session = await openStored();
    for (const [payload, reason] of [
      ["", "cbor"],
      ["\x80", "size"],
      [`${celsius(1)}\x00`, "cbor"],
      [`\x98\x20${"\xa2\x00\x61a\x02\x01".repeat(MAX_RECORDS * 2)}`, "size"],
      ["\x81\xa2\x00\x61a\x02\xfb\x7f\xf0\0\0\0\0\0\0", "form"],
    ] as [Bytes, string][])
      expect(await cloud.send(device, "reading", device.seal(session, payload))).toMatchObject({
        reason,
      });
    expect(await storedCounts()).toMatchObject({ readings: 0 });
  });
});

describe("topics and sizes", () => {
  it("outside the table or of an unknown device are refused before anything is parsed", async () => {
    const { message } = device.openSession(cloud.self.publicKey);
    const stranger = openTestDevice();
    for (const [topic, reason] of [
      ["cf/1", "topic"],
      [`other/${device.kidHex}/session`, "topic"],
      [`cf/1/${device.kidHex}/secret`, "topic"],
      [`cf/1/${device.kidHex.toUpperCase()}G/session`, "topic"],
      [device.topic("receipt"), "topic"],
      [stranger.topic("session"), "device-unknown"],
    ] as const)
      expect(await cloud.accept(topic, wire(message)), topic).toMatchObject({ reason });
    expect((await cloud.store.counts()).refused).toEqual({ topic: 5, "device-unknown": 1 });
    stranger.close();
  });

  it("beyond the class's limit are refused, at the limit they are read", async () => {
    for (const [messageClass, limit] of [
      ["session", 4096],
      ["reading", 1024],
    ] as const) {
      const atLimit = "\0".repeat(limit) as Bytes;
      expect(await cloud.send(device, messageClass, atLimit)).toMatchObject({ reason: "profile" });
      expect(await cloud.send(device, messageClass, `${atLimit}\0` as Bytes)).toMatchObject({
        reason: "size",
      });
    }
  });

  it("of one class are not taken on the topic of another", async () => {
    const session = await openStored();
    const reading = device.seal(session, celsius(1));
    expect(await cloud.send(device, "session", reading)).toMatchObject({ reason: "profile" });
    expect(await cloud.send(device, "reading", session.message)).toMatchObject({
      reason: "profile",
    });
  });
});
