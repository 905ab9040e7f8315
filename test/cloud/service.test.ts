import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { Aedes } from "aedes";
import Database from "better-sqlite3";
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { initKeys } from "../../cloud/keys/cloud-keys.ts";
import type { LogLine } from "../../cloud/receiver/receiver.ts";
import type { Measurement } from "../../cloud/receiver/view.ts";
import { type CloudOptions, startCloud } from "../../cloud/service.ts";
import { type Bytes, fromHex } from "../../protocol/bytes.ts";
import { freePort } from "../support/free-port.ts";
import { type Mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { inbox } from "./support/inbox.ts";
import { temporaryDirectories } from "./support/temporary.ts";
import { celsius, openTestDevice, wire } from "./support/test-device.ts";

const temporary = temporaryDirectories();
const closers: (() => unknown)[] = [];
let broker: Mosquitto;

beforeAll(async () => {
  broker = await startMosquitto();
});
afterAll(() => broker.close());
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options: Partial<CloudOptions> = {}) {
  const directory = temporary();
  const keys = join(directory, "keys");
  await initKeys(keys);
  const measurements: Measurement[] = [];
  const lines: LogLine[] = [];
  const cloud = await startCloud({
    broker: broker.url,
    keys,
    database: join(directory, "cloud.db"),
    log: (line) => lines.push(line),
    onReading: (measurement) => measurements.push(measurement),
    receiptDelayMs: 20,
    ...options,
  });
  closers.push(() => cloud.close());
  return { cloud, measurements, lines, directory };
}

async function connectDevice(kidHex: string, url = broker.url) {
  const client = await mqtt.connectAsync(url, { clientId: `cf-${kidHex}` });
  closers.push(() => client.endAsync());
  const receipts = inbox(client);
  await client.subscribeAsync(`cf/1/${kidHex}/receipt`, { qos: 1 });
  return { client, receipts };
}

describe("startCloud on Mosquitto", () => {
  it("stores a session and its readings, and receipts both", async () => {
    const { cloud, measurements, lines } = await start();
    const device = openTestDevice();
    closers.push(() => device.close());
    const { kid } = await cloud.registerDevice(device.publicKey, "greenhouse");
    expect(kid).toBe(device.kidHex);
    const { client, receipts } = await connectDevice(kid);

    const session = device.openSession(fromHex(cloud.publicKey()) as Bytes);
    await client.publishAsync(device.topic("session"), wire(session.message), { qos: 2 });
    const first = device.openReceipt(session, await receipts.next());
    expect(first.messages).toEqual([session.hash.substring(0, 16)]);
    expect(first.readings).toEqual([]);

    for (const value of [2150, 2151, 2152]) {
      const reading = device.seal(session, celsius(value));
      await client.publishAsync(device.topic("reading"), wire(reading), { qos: 1 });
    }
    const ranges = [];
    while (ranges.at(-1)?.last !== 3)
      ranges.push(...device.openReceipt(session, await receipts.next()).readings);
    expect(ranges[0]).toMatchObject({ sessionKid: session.kid, first: 1 });

    expect(
      measurements.map(({ device: name, sequence, value }) => [name, sequence, value]),
    ).toEqual([
      ["greenhouse", 1, 21.5],
      ["greenhouse", 2, 21.51],
      ["greenhouse", 3, 21.52],
    ]);
    expect(await cloud.counts()).toMatchObject({
      devices: 1,
      sessions: 1,
      readings: 3,
      records: 6,
      refused: {},
      repeats: 0,
    });
    expect(lines[0]).toMatchObject({ event: "connected", mqtt: "5" });
  });
});

describe("startCloud", () => {
  it("stores what a failing database did not take, once it works again", async () => {
    const { cloud, measurements, lines, directory } = await start();
    const device = openTestDevice();
    closers.push(() => device.close());
    const { kid } = await cloud.registerDevice(device.publicKey);
    const { client } = await connectDevice(kid);
    const session = device.openSession(fromHex(cloud.publicKey()) as Bytes);
    await client.publishAsync(device.topic("session"), wire(session.message), { qos: 2 });
    await expect.poll(async () => (await cloud.counts()).sessions).toBe(1);

    const database = new Database(join(directory, "cloud.db"));
    database.exec("ALTER TABLE reading RENAME TO elsewhere");
    const reading = wire(device.seal(session, celsius(2150)));
    await client.publishAsync(device.topic("reading"), reading, { qos: 1 });
    await expect.poll(() => lines.some(({ event }) => event === "disconnected")).toBe(true);
    expect(lines.at(-1)?.message).toMatch(/not stored .*the broker keeps it/);
    expect(measurements).toEqual([]);
    database.exec("ALTER TABLE elsewhere RENAME TO reading");
    database.close();
    await expect.poll(() => measurements.length).toBe(1);
    expect((await cloud.counts()).refused).toEqual({});
  });

  it("counts and logs what it refuses, without its content, and receipts none of it", async () => {
    const { cloud, lines } = await start();
    const device = openTestDevice();
    closers.push(() => device.close());
    const { client, receipts } = await connectDevice(device.kidHex);
    const session = device.openSession(fromHex(cloud.publicKey()) as Bytes);
    await client.publishAsync(device.topic("session"), wire(session.message), { qos: 2 });
    await expect.poll(async () => (await cloud.counts()).refused).toEqual({ "device-unknown": 1 });
    expect(lines.at(-1)).toEqual({
      event: "refused",
      reason: "device-unknown",
      class: "session",
      kid: device.kidHex,
    });
    await cloud.registerDevice(device.publicKey);
    await client.publishAsync(device.topic("session"), wire(session.message), { qos: 2 });
    const receipt = device.openReceipt(session, await receipts.next());
    expect(receipt.messages).toHaveLength(1);
    expect(receipts.waiting()).toBe(0);
  });

  it("shows every message to onMessage as it came", async () => {
    const seen: [string, string][] = [];
    const { cloud } = await start({
      onMessage: (topic, payload) => seen.push([topic, payload.toString()]),
    });
    const { client } = await connectDevice("00112233aabbccdd");
    await client.publishAsync("cf/1/00112233aabbccdd/reading", "anything", { qos: 1 });
    await expect.poll(() => seen).toEqual([["cf/1/00112233aabbccdd/reading", "anything"]]);
    expect((await cloud.counts()).readings).toBe(0);
  });

  it("rejects when there is no broker, and leaves nothing running", async () => {
    const port = await freePort();
    await expect(start({ broker: `mqtt://127.0.0.1:${port}` })).rejects.toThrow(
      /connection refused/,
    );
    await expect(start({ broker: "127.0.0.1" })).rejects.toThrow(/broker, expected/);
  });

  it("starts without a broker when told to, and connects when there is one", async () => {
    const away = await startMosquitto();
    closers.push(() => away.close());
    await away.stop();
    const { lines } = await start({ broker: away.url, keepTrying: true });
    await expect.poll(() => lines.length).toBe(1);
    expect(lines[0]).toMatchObject({ event: "disconnected" });
    await away.restart();
    await expect.poll(() => lines.at(-1)?.event).toBe("connected");
  });

  it("says when the broker refuses its user name or password", async () => {
    const closed = await startMosquitto({ config: "per_listener_settings false" });
    closers.push(() => closed.close());
    const config = readFileSync(join(closed.directory, "mosquitto.conf"), "utf8");
    writeFileSync(
      join(closed.directory, "mosquitto.conf"),
      config.replace("allow_anonymous true", "allow_anonymous false"),
    );
    await closed.restart();
    await expect(start({ broker: closed.url, username: "x", password: "y" })).rejects.toThrow(
      /Not authorized|Bad User Name/i,
    );
  });

  it("receives over a broker of MQTT 3.1.1, receipts included", async () => {
    const aedes = await Aedes.createBroker();
    const server = createServer(aedes.handle).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
    closers.push(async () => {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      server.close();
    });
    const { cloud, lines } = await start({ broker: url });
    expect(lines.map(({ event, mqtt: version }) => [event, version])).toEqual([
      ["mqtt-3.1.1", undefined],
      ["connected", "3.1.1"],
    ]);
    const device = openTestDevice();
    closers.push(() => device.close());
    await cloud.registerDevice(device.publicKey);
    const { client, receipts } = await connectDevice(device.kidHex, url);
    const session = device.openSession(fromHex(cloud.publicKey()) as Bytes);
    await client.publishAsync(device.topic("session"), wire(session.message), { qos: 2 });
    expect(device.openReceipt(session, await receipts.next()).messages).toHaveLength(1);
  });

  it("refuses to start on a database sealed under another key-encryption key", async () => {
    const { cloud, directory } = await start();
    await cloud.close();
    closers.pop();
    const keys = join(directory, "other-keys");
    await initKeys(keys);
    const options = { broker: broker.url, keys, database: join(directory, "cloud.db") };
    await expect(startCloud(options)).rejects.toThrow(/key-encryption key/);
    const again = await startCloud({ ...options, keys: join(directory, "keys") });
    await again.close();
  });
});
