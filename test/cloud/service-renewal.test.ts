/** Keys that are renewed, revoked, added or spoiled while the cloud runs. */
import { chmodSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeCredential, openRoot } from "../../cloud/ca/authority.ts";
import type { RootSignedRole } from "../../cloud/ca/profile.ts";
import { initKeys, openIndex } from "../../cloud/keys/cloud-keys.ts";
import { validCertificates } from "../../cloud/keys/credentials.ts";
import { credentialFiles } from "../../cloud/keys/key-directory.ts";
import type { LogLine } from "../../cloud/receiver/receiver.ts";
import { type Cloud, startCloud } from "../../cloud/service.ts";
import { type Bytes, fromHex, toHex } from "../../protocol/bytes.ts";
import { type Mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { nodeCrypto } from "../support/parties.ts";
import { type Inbox, inbox } from "./support/inbox.ts";
import { temporaryDirectories } from "./support/temporary.ts";
import { openTestDevice, type TestDevice, wire } from "./support/test-device.ts";

const LOOK_MS = 20;
const NOW = Math.floor(Date.now() / 1000);

const temporary = temporaryDirectories();
const closers: (() => unknown)[] = [];
let broker: Mosquitto;
let keys: string;
let lines: LogLine[];
let cloud: Cloud;
let device: TestDevice;
let client: MqttClient;
let retained: Inbox;

async function start(): Promise<void> {
  cloud = await startCloud({
    ...{ broker: broker.url, keys, database: join(keys, "..", "cloud.db") },
    ...{ log: (line: LogLine) => lines.push(line), renewalMs: LOOK_MS, receiptDelayMs: 20 },
  });
  closers.push(() => cloud.close());
}

beforeEach(async () => {
  broker = await startMosquitto();
  closers.push(() => broker.close());
  keys = join(temporary(), "keys");
  lines = [];
  await initKeys(keys);
  device = openTestDevice();
  closers.push(() => device.close());
  client = await mqtt.connectAsync(broker.url);
  closers.push(() => client.endAsync());
  retained = inbox(client);
  await client.subscribeAsync("cf/1/cloud", { qos: 1 });
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const line = (event: string, count = 1) =>
  expect.poll(() => lines.filter((one) => one.event === event)).toHaveLength(count);

const issue = (role: RootSignedRole) =>
  makeCredential(nodeCrypto, keys, openRoot(nodeCrypto, keys, {}), role, undefined, NOW);

const newestOfCloud = () => validCertificates(keys, "cloud", NOW)[0].certificate;

/** A session message sealed to a key of the cloud: stored, or refused for the reason given. */
async function sendSession(publicKey: Bytes, refused?: string): Promise<void> {
  const judged = () =>
    lines.filter(({ event }) => event === "session" || event === "refused").length;
  const before = judged();
  const { message } = device.openSession(publicKey);
  await client.publishAsync(device.topic("session"), wire(message), { qos: 2 });
  await expect.poll(judged).toBe(before + 1);
  expect(lines.at(-1)?.reason).toBe(refused);
}

describe("startCloud", () => {
  it("takes a renewed key of the cloud, tells devices, and goes on opening the older's", async () => {
    await start();
    await cloud.registerDevice(device.publicKey);
    const first = fromHex(cloud.publicKey()) as Bytes;
    expect((await retained.next()).toString("latin1")).toBe(newestOfCloud().der);
    const { publicKey, der } = await issue("cloud");
    expect((await retained.next()).toString("latin1")).toBe(der);
    await line("keys-renewed");
    expect(lines.at(-1)).toMatchObject({ event: "keys-renewed", older: 1 });
    expect(cloud.publicKey()).toBe(toHex(publicKey));
    await sendSession(publicKey);
    await sendSession(first);
  });

  it("drops a key that is revoked, and offers the one before it again", async () => {
    const first = newestOfCloud();
    const second = await issue("cloud");
    await start();
    await cloud.registerDevice(device.publicKey);
    expect((await retained.next()).toString("latin1")).toBe(second.der);
    openIndex(keys).revoke(second.serial, NOW);
    expect((await retained.next()).toString("latin1")).toBe(first.der);
    await line("keys-renewed");
    await sendSession(second.publicKey, "kid");
    await sendSession(first.publicKey);
  });

  it("keeps the keys that it has while those in the directory cannot be used", async () => {
    await start();
    await cloud.registerDevice(device.publicKey);
    const first = newestOfCloud().publicKey;
    const spoilt = join(keys, credentialFiles("cloud", 1).key);
    chmodSync(spoilt, 0o640);
    await expect.poll(() => lines.at(-1)?.event).toBe("keys-kept");
    expect(lines.at(-1)?.message).toMatch(/mode 600, got 640/);
    const second = await issue("cloud");
    await sendSession(first);
    await sendSession(second.publicKey, "kid");
    chmodSync(spoilt, 0o600);
    await line("keys-renewed");
    await sendSession(second.publicKey);
  });

  it("lets devices enrol once there are keys of a registrar", async () => {
    const aside = join(keys, "..", "aside");
    mkdirSync(aside);
    const files = Object.values(credentialFiles("registrar", 1));
    for (const file of files) renameSync(join(keys, file), join(aside, file));
    await start();
    await line("no-registrar");
    const enrol = () => client.publishAsync(device.topic("enrol"), "x", { qos: 2 });
    await enrol();
    await expect.poll(() => lines.at(-1)?.reason).toBe("no-registrar");
    for (const file of files) renameSync(join(aside, file), join(keys, file));
    await line("keys-renewed");
    await enrol();
    await expect.poll(() => lines.at(-1)?.reason).toBe("profile");
  });

  it("has nothing to say of a directory in which nothing counts that did not before", async () => {
    await start();
    openIndex(keys).add({ ...newestOfCloud(), serial: "00ff" });
    await issue("provisioner");
    const { publicKey } = await issue("cloud");
    await line("keys-renewed");
    expect(cloud.publicKey()).toBe(toHex(publicKey));
  });
});
