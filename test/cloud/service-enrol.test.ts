import { rmSync } from "node:fs";
import { join } from "node:path";
import mqtt, { type IPublishPacket } from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { isIssuedBy, readCertificate } from "../../cloud/ca/certificate.ts";
import { newClaim } from "../../cloud/claims.ts";
import { fromBuffer } from "../../cloud/crypto/convert.ts";
import { initKeys } from "../../cloud/keys/cloud-keys.ts";
import { readRoot } from "../../cloud/keys/credentials.ts";
import type { LogLine } from "../../cloud/receiver/receiver.ts";
import { startCloud } from "../../cloud/service.ts";
import { openSqliteStore } from "../../cloud/store/sqlite.ts";
import type { Store } from "../../cloud/store/store.ts";
import { type Bytes, fromHex } from "../../protocol/bytes.ts";
import { STATUS_DONE } from "../../protocol/reply-message.ts";
import { type Mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { hashOf } from "./support/store-bench.ts";
import { temporaryDirectories } from "./support/temporary.ts";
import { openTestDevice, wire } from "./support/test-device.ts";

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

/** A cloud, its database as another process has it, and what it logs. */
async function start(prepare: (keys: string) => void = () => {}) {
  const directory = temporary();
  const keys = join(directory, "keys");
  const database = join(directory, "cloud.db");
  await initKeys(keys);
  prepare(keys);
  const lines: LogLine[] = [];
  const log = (line: LogLine) => lines.push(line);
  const cloud = await startCloud({ broker: broker.url, keys, database, log, receiptDelayMs: 20 });
  closers.push(() => cloud.close());
  const store: Store = openSqliteStore(database);
  closers.push(() => store.close());
  return { cloud, keys, lines, store, cloudKey: fromHex(cloud.publicKey()) as Bytes };
}

/** A client whose packets on a topic are awaited one after the other. */
async function listen(topic: string) {
  const client = await mqtt.connectAsync(broker.url);
  closers.push(() => client.endAsync());
  const waiting: IPublishPacket[] = [];
  const takers: ((packet: IPublishPacket) => void)[] = [];
  client.on("message", (_topic, _payload, packet) => {
    const taker = takers.shift();
    if (taker) taker(packet);
    else waiting.push(packet);
  });
  await client.subscribeAsync(topic, { qos: 2 });
  const next = () =>
    new Promise<IPublishPacket>((resolve) => {
      const packet = waiting.shift();
      if (packet) resolve(packet);
      else takers.push(resolve);
    });
  return { client, next };
}

function newDevice() {
  const device = openTestDevice();
  closers.push(() => device.close());
  return device;
}

const bytesOf = ({ payload }: IPublishPacket) => fromBuffer(payload as Buffer);

describe("a cloud with the registrar's keys", () => {
  it("retains its certificate for whoever comes later", async () => {
    const { cloudKey, keys } = await start();
    const { next } = await listen("cf/1/cloud");
    const packet = await next();
    expect(packet.retain).toBe(true);
    const certificate = readCertificate(bytesOf(packet));
    expect(certificate).toMatchObject({ role: "cloud", publicKey: cloudKey });
    expect(isIssuedBy(certificate, readRoot(keys))).toBe(true);
  });

  it("lets a device in by its claim at QoS 2, the same bytes each time, and takes its session", async () => {
    const { store, lines, cloudKey } = await start();
    const device = newDevice();
    const claim = fromHex(
      await newClaim(store, { userId: "ann", deviceId: undefined, seconds: 60 }),
    );
    const { client, next } = await listen(`cf/1/${device.kidHex}/enrolled`);
    const { message, hash } = device.makeEnrol(cloudKey, { claim });
    await client.publishAsync(device.topic("enrol"), wire(message), { qos: 2 });
    const first = await next();
    expect([first.qos, first.retain]).toEqual([2, false]);
    expect(device.openEnrolled(bytesOf(first)).request).toBe(hash.substring(0, 16));
    await client.publishAsync(device.topic("enrol"), wire(message), { qos: 2 });
    expect(bytesOf(await next())).toBe(bytesOf(first));

    const receipts = await listen(`cf/1/${device.kidHex}/receipt`);
    const session = device.openSession(cloudKey);
    await client.publishAsync(device.topic("session"), wire(session.message), { qos: 2 });
    const receipt = device.openReceipt(session, (await receipts.next()).payload as Buffer);
    expect(receipt.messages).toEqual([session.hash.substring(0, 16)]);
    const enrols = lines.filter(({ event }) => event === "enrol");
    expect(enrols).toMatchObject([
      { kid: device.kidHex, repeat: false, sent: true },
      { repeat: true, sent: true },
    ]);
  });

  it("receipts a reply, once it is stored with its command", async () => {
    const { cloud, store, cloudKey } = await start();
    const device = newDevice();
    await cloud.registerDevice(device.publicKey);
    const { client, next } = await listen(`cf/1/${device.kidHex}/receipt`);
    const session = device.openSession(cloudKey);
    await client.publishAsync(device.topic("session"), wire(session.message), { qos: 2 });
    await next();
    const issuedAt = Math.floor(Date.now() / 1000);
    const draft = { device: device.kid, action: "update", form: "sealed", userId: "ann" } as const;
    await store.issueCommand({ ...draft, issuedAt, expiresAt: issuedAt + 60 }, () => {
      return { message: "m" as Bytes, hash: hashOf("c") };
    });
    const content = { command: hashOf("c"), status: STATUS_DONE, detail: 0 };
    const reply = device.makeReply(cloudKey, content);
    await client.publishAsync(device.topic("reply"), wire(reply.message), { qos: 2 });
    const receipt = device.openReceipt(session, (await next()).payload as Buffer);
    expect(receipt.messages).toEqual([reply.hash.substring(0, 16)]);
    expect(await store.listCommands(device.kid)).toMatchObject([{ state: "replied" }]);
  });

  it("tells a mistyped claim to its operator, and the device nothing", async () => {
    const { cloud, store, lines, cloudKey } = await start();
    const device = newDevice();
    const all = await listen(`cf/1/${device.kidHex}/#`);
    const { message } = device.makeEnrol(cloudKey, { claim: fromHex("0".repeat(32)) });
    await all.client.publishAsync(device.topic("enrol"), wire(message), { qos: 2 });
    // Its own message comes back to it; behind that nothing else came.
    expect((await all.next()).topic).toBe(device.topic("enrol"));
    await cloud.close();
    await all.client.publishAsync(device.topic("receipt"), "end", { qos: 2 });
    expect(bytesOf(await all.next())).toBe("end");
    expect(lines).toContainEqual(
      expect.objectContaining({
        ...{ event: "refused", reason: "claim-unknown", class: "enrol", kid: device.kidHex },
        message: expect.stringMatching(/mistyped/),
      }),
    );
    expect(await store.listRefusedEnrolments(5)).toMatchObject([
      { device: device.kid, reason: "claim-unknown" },
    ]);
  });
});

describe("a cloud without the registrar's keys", () => {
  it("says so, refuses to enrol, and takes everything else", async () => {
    const { cloud, lines, cloudKey } = await start((keys) =>
      rmSync(join(keys, "registrar-1.cert.pem")),
    );
    expect(lines[0]).toMatchObject({
      ...{ event: "no-registrar", message: expect.stringMatching(/registrar/) },
    });
    const device = newDevice();
    await cloud.registerDevice(device.publicKey);
    const { client, next } = await listen(`cf/1/${device.kidHex}/receipt`);
    const { message } = device.makeEnrol(cloudKey);
    await client.publishAsync(device.topic("enrol"), wire(message), { qos: 2 });
    const session = device.openSession(cloudKey);
    await client.publishAsync(device.topic("session"), wire(session.message), { qos: 2 });
    await next();
    expect((await cloud.counts()).refused).toEqual({ "no-registrar": 1 });
  });
});
