/**
 * The broker as the attacker: it has every message, and sends what it likes to
 * whom it likes, as often as it likes.
 */
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { initKeys } from "../../cloud/keys/cloud-keys.ts";
import { readDeviceTrust } from "../../cloud/keys/device-trust.ts";
import type { LogLine } from "../../cloud/receiver/receiver.ts";
import { type Cloud, startCloud } from "../../cloud/service.ts";
import { CLASSES, type MessageClass, parseTopic, TOPIC_PREFIX } from "../../protocol/topics.ts";
import { BROKERS, type TestBroker } from "../support/brokers.ts";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { type FleetDevice, startDevice } from "../support/fleet.ts";

interface Captured {
  topic: string;
  messageClass: MessageClass;
  payload: Buffer;
}

const BOARD = {
  name: "hostile",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 0.1, qos: 1 }],
  queue: { readings: 64 },
};

/** Bytes of an ES256 signature. */
const SIGNATURE_LENGTH = 64;

/** Mosquitto forgets QoS 2 messages past its 20 in flight, though it completes them. */
const AT_ONCE = 16;

function flipped(payload: Buffer, at: number): Buffer {
  const changed = Buffer.from(payload);
  changed[at] = (changed[at] as number) ^ (1 << (at % 8));
  return changed;
}

describe.each(BROKERS)("hostile broker, on %s", (_name, startBroker) => {
  const cleanUp: (() => void | Promise<void>)[] = [];
  let broker: TestBroker;
  let cloud: Cloud;
  let attacker: MqttClient;
  let directory: string;
  let log: LogLine[];
  let onLog: () => void;
  let stored: number;
  let onStored: () => void;
  const captured: Captured[] = [];
  let onCaptured: () => void;
  let devices: FleetDevice[];
  let kids: string[];

  /** Resolves when `done` holds; asked whenever anything that it may look at changes. */
  function until(done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (done()) resolve();
      };
      onLog = onStored = onCaptured = check;
      check();
    });
  }

  const of = (messageClass: MessageClass, device = 0): Captured[] =>
    captured.filter((c) => c.topic === `${TOPIC_PREFIX}/${kids[device]}/${messageClass}`);

  const publish = (topic: string, payload: Buffer, messageClass: MessageClass) =>
    attacker.publishAsync(topic, payload, { qos: CLASSES[messageClass].qos });

  /** The message again and again, each time with one bit of another byte changed. */
  async function publishFlipped({ topic, payload, messageClass }: Captured): Promise<void> {
    for (let first = 0; first < payload.length; first += AT_ONCE) {
      const last = Math.min(first + AT_ONCE, payload.length);
      const publishing: Promise<unknown>[] = [];
      for (let at = first; at < last; at++)
        publishing.push(publish(topic, flipped(payload, at), messageClass));
      await Promise.all(publishing);
    }
  }

  const refusals = () => log.filter((line) => line.event === "refused");

  beforeEach(async () => {
    captured.length = 0;
    log = [];
    stored = 0;
    onLog = onStored = onCaptured = () => {};
    broker = await startBroker();
    cleanUp.push(() => broker.close());
    const [temporary, remove] = await temporaryDirectory("hostile");
    directory = temporary;
    cleanUp.push(remove);
    attacker = await mqtt.connectAsync(broker.url, { protocolVersion: 4 });
    cleanUp.push(() => attacker.endAsync(true));
    attacker.on("message", (topic, payload) => {
      captured.push({ topic, messageClass: parseTopic(TOPIC_PREFIX, topic).messageClass, payload });
      onCaptured();
    });
    await attacker.subscribeAsync(`${TOPIC_PREFIX}/+/+`, { qos: 0 });
    await initKeys(join(directory, "keys"));
    cloud = await startCloud({
      broker: broker.url,
      keys: join(directory, "keys"),
      database: join(directory, "cloud.db"),
      log: (line) => {
        log.push(line);
        onLog();
      },
      onReading: () => {
        stored++;
        onStored();
      },
    });
    cleanUp.push(() => cloud.close());
    const files = await bundleBoard(directory, BOARD);
    devices = [];
    kids = [];
    for (const name of ["one", "two"])
      devices.push(
        await startDevice(
          {
            files,
            directory,
            broker,
            trust: readDeviceTrust(join(directory, "keys")),
            register: async (key, as) => {
              kids.push((await cloud.registerDevice(key, as)).kid);
            },
          },
          name,
        ),
      );
    cleanUp.push(() => {
      for (const device of devices) device.powerOff();
    });
  });
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  });

  /** Two devices have streamed; then their power is cut and only the attacker speaks. */
  async function afterStreaming() {
    await until(() => stored >= 16 && of("reading", 0).length > 3 && of("reading", 1).length > 3);
    for (const device of devices) device.powerOff();
    await settled();
    return await cloud.counts();
  }

  /** Everything sent so far has been judged: a message of our own, refused, comes after it. */
  async function settled(): Promise<void> {
    const nobody = "0000000000000000";
    const marks = () => refusals().filter(({ kid }) => kid === nobody).length;
    const before = marks();
    await publish(`${TOPIC_PREFIX}/${nobody}/session`, Buffer.of(0), "session");
    await until(() => marks() > before);
  }

  it("cannot have a message with any byte changed accepted", async () => {
    const before = await afterStreaming();
    const [session] = of("session") as [Captured];
    const [reading] = of("reading") as [Captured];
    const refusedBefore = refusals().length;
    await publishFlipped(session);
    await publishFlipped(reading);
    await settled();
    const after = await cloud.counts();
    expect(after.readings).toBe(before.readings);
    expect(after.sessions).toBe(before.sessions);
    // A signature is not part of what a message says: the stored message with another one is
    // a repeat of it, absorbed unread. Everything else is refused.
    expect(after.repeats).toBe(before.repeats + SIGNATURE_LENGTH);
    const sent = session.payload.length + reading.payload.length;
    expect(refusals().length - refusedBefore).toBe(sent - SIGNATURE_LENGTH + 1);
  });

  it("cannot replay, repeat or reorder into a second copy", async () => {
    const before = await afterStreaming();
    for (const message of [...of("session"), ...of("reading").reverse(), ...of("reading")])
      await publish(message.topic, message.payload, message.messageClass);
    await settled();
    const after = await cloud.counts();
    expect([after.sessions, after.readings]).toEqual([before.sessions, before.readings]);
    expect(after.repeats).toBeGreaterThan(before.repeats);
  });

  it("cannot move a message to another device or class", async () => {
    const before = await afterStreaming();
    const other = (messageClass: MessageClass) => (of(messageClass, 1)[0] as Captured).topic;
    const [session] = of("session") as [Captured];
    const [reading] = of("reading") as [Captured];
    const refusedBefore = refusals().length;
    await publish(other("session"), session.payload, "session");
    await publish(other("reading"), reading.payload, "reading");
    await publish(session.topic, reading.payload, "session");
    await publish(reading.topic, session.payload, "reading");
    await until(() => refusals().length >= refusedBefore + 4);
    const after = await cloud.counts();
    expect([after.sessions, after.readings]).toEqual([before.sessions, before.readings]);
  });

  it("cannot forge or bend a receipt: the device refuses it and goes on", async () => {
    await until(() => of("receipt").length > 0 && stored > 2);
    const [receipt] = of("receipt") as [Captured];
    const [device] = devices as [FleetDevice];
    await publishFlipped(receipt);
    const refusedLines = () => device.lines.filter((line) => line.includes("receipt refused"));
    // A changed session key id names no session and is passed over without a word.
    await expect
      .poll(() => refusedLines().length)
      .toBeGreaterThanOrEqual(receipt.payload.length - 2);
    const readings = () => of("reading").length;
    const readingsThen = readings();
    await until(() => readings() > readingsThen + 8);
    expect(device.lines.join("\n")).not.toContain("Uncaught");
  });

  it("sees no name, unit or value of a reading", async () => {
    await until(() => stored >= 10);
    const seen = Buffer.concat(
      captured.map(({ topic, payload }) => Buffer.concat([Buffer.from(topic), payload])),
    );
    for (const secret of ["load", "memory", "uptime", "one", "two"])
      expect(
        seen.includes(
          Buffer.from(`\0${String.fromCharCode(0x60 + secret.length)}${secret}`, "latin1"),
        ),
      ).toBe(false);
    for (const secret of ["load", "memory", "uptime"]) expect(seen.includes(secret)).toBe(false);
  });
});
