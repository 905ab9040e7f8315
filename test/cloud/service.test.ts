import { join } from "node:path";
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { initKeys } from "../../cloud/keys/cloud-keys.ts";
import type { LogLine } from "../../cloud/receiver/receiver.ts";
import type { Measurement } from "../../cloud/receiver/view.ts";
import { type CloudOptions, startCloud } from "../../cloud/service.ts";
import { fromHex, type Bytes } from "../../protocol/bytes.ts";
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

    const session = device.openSession(fromHex(cloud.publicKey) as Bytes);
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
