/** Events over Mosquitto: from the device's signature to the cloud's receipt, kills and replays between. */
import Database from "better-sqlite3";
import mqtt, { type MqttClient } from "mqtt";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Bytes, fromHex, toHex } from "../../protocol/bytes.ts";
import type { DeviceSession } from "../../protocol/session-message.ts";
import { type Inbox, inbox } from "../cloud/support/inbox.ts";
import { celsius, openTestDevice, type TestDevice, wire } from "../cloud/support/test-device.ts";
import { temporaryDirectory } from "../support/built.ts";
import { type Mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { createReceiver, type Receiver } from "../support/serve.ts";

const cleanUp: (() => unknown)[] = [];
let broker: Mosquitto;
let receiver: Receiver;
let device: TestDevice;
let client: MqttClient;
let receipts: Inbox;
let printed: unknown[];
let cloudKey: Bytes;

beforeEach(async () => {
  broker = await startMosquitto();
  cleanUp.push(() => broker.close());
  const [directory, remove] = await temporaryDirectory("event");
  cleanUp.push(remove);
  receiver = await createReceiver(directory, broker.url);
  cloudKey = fromHex(receiver.cloudPublicKey) as Bytes;
  printed = [];
  receiver.onLine = (line) => printed.push(line);
  device = openTestDevice();
  cleanUp.push(() => device.close());
  await receiver.command("device", "register", "--key", device.publicKey, "--name", "shed");
  client = await mqtt.connectAsync(broker.url, { clientId: `cf-${device.kidHex}` });
  cleanUp.push(() => client.endAsync());
  receipts = inbox(client);
  await client.subscribeAsync(device.topic("receipt"), { qos: 1 });
  await receiver.start();
  cleanUp.push(() => receiver.kill());
});
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const publish = (messageClass: "session" | "event", message: Bytes) =>
  client.publishAsync(device.topic(messageClass), wire(message), { qos: 2 });

const nameOf = (hash: Bytes) => hash.substring(0, 16);

/** The messages that the next receipt lists. */
async function nextReceipt(session: DeviceSession): Promise<Bytes[]> {
  return device.openReceipt(session, await receipts.next()).messages;
}

async function openSession(): Promise<DeviceSession> {
  const session = device.openSession(cloudKey);
  await publish("session", session.message);
  return session;
}

function rows(sql: string): unknown[] {
  const database = new Database(receiver.database, { readonly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

const shown = (counter: number, value: unknown) => ({
  ...{ kind: "event", device: "shed", counter, value },
  ...{ time: expect.closeTo(Date.now() / 1000, -2), timeFrom: "arrival" },
});

describe("an event", () => {
  it("is stored and receipted, and again receipted when it comes again", async () => {
    const session = await openSession();
    expect(await nextReceipt(session)).toEqual([nameOf(session.hash)]);
    const { message, hash } = device.makeEvent(cloudKey, celsius(2150));
    for (let i = 0; i < 3; i++) {
      await publish("event", message);
      expect(await nextReceipt(session)).toEqual([nameOf(hash)]);
    }
    expect(printed).toEqual([{ ...shown(2, 21.5), name: "temperature", unit: "Cel" }]);
    expect(rows("SELECT counter FROM event")).toEqual([{ counter: 2 }]);
  });

  it("that comes before any session is stored then, and receipted with the first", async () => {
    const { message, hash } = device.makeEvent(cloudKey);
    await publish("event", message);
    await expect.poll(() => printed).toEqual([{ ...shown(1, true), name: "door" }]);
    expect(receipts.waiting()).toBe(0);
    const session = await openSession();
    expect(await nextReceipt(session)).toEqual([nameOf(hash), nameOf(session.hash)]);
  });

  it("that came before any session is receipted when it comes again, after a kill of the receiver", async () => {
    const { message, hash } = device.makeEvent(cloudKey);
    await publish("event", message);
    await expect.poll(() => printed).toHaveLength(1);
    await receiver.kill();
    await receiver.start();
    const session = await openSession();
    // The kill may have come before the broker's PUBREC: then it brings the event again by itself.
    expect(await nextReceipt(session)).toContain(nameOf(session.hash));
    await publish("event", message);
    expect(await nextReceipt(session)).toEqual([nameOf(hash)]);
    expect(rows("SELECT counter FROM event")).toEqual([{ counter: 1 }]);
  });

  it("outlives a kill of the receiver before it came, and one after it was stored", async () => {
    const session = await openSession();
    await nextReceipt(session);
    await receiver.kill();
    const { message, hash } = device.makeEvent(cloudKey);
    await publish("event", message);
    await receiver.start();
    expect(await nextReceipt(session)).toEqual([nameOf(hash)]);
    await receiver.kill();
    await receiver.start();
    await publish("event", message);
    expect(await nextReceipt(session)).toEqual([nameOf(hash)]);
    expect(rows("SELECT counter FROM event")).toEqual([{ counter: 2 }]);
    expect(printed).toHaveLength(1);
  });

  it("with a counter that is spent raises an alarm, and is not receipted", async () => {
    const session = await openSession();
    await nextReceipt(session);
    const twin = device.makeEvent(cloudKey, celsius(1), 1);
    await publish("event", twin.message);
    await expect.poll(() => receiver.log.at(-1)).toContain("counter-conflict");
    expect(JSON.parse(receiver.log.at(-1) as string)).toMatchObject({
      ...{ event: "refused", reason: "counter-conflict", class: "event", alarm: true },
      kid: toHex(device.kid),
    });
    const { message, hash } = device.makeEvent(cloudKey);
    await publish("event", message);
    expect(await nextReceipt(session)).toEqual([nameOf(hash)]);
    expect(rows("SELECT counter FROM event")).toEqual([{ counter: 2 }]);
  });

  it("shows the broker nothing of itself", async () => {
    const seen: Buffer[] = [];
    const watcher = await mqtt.connectAsync(broker.url);
    cleanUp.push(() => watcher.endAsync());
    watcher.on("message", (topic, payload) => seen.push(Buffer.from(topic), payload));
    await watcher.subscribeAsync("cf/1/+/+", { qos: 2 });
    const { message } = device.makeEvent(cloudKey);
    await publish("event", message);
    await expect.poll(() => seen.length).toBe(2);
    expect(seen[1]).toEqual(wire(message));
    for (const secret of ["door", "shed"]) expect(Buffer.concat(seen).includes(secret)).toBe(false);
  });
});
