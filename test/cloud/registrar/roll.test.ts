import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readCertificate } from "../../../cloud/ca/certificate.ts";
import type { AcceptedReply } from "../../../cloud/receiver/accept-reply.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import type { Signed } from "../../../protocol/cose/sign1.ts";
import { STATUS_DONE, STATUS_ROLLED } from "../../../protocol/reply-message.ts";
import type { DeviceSession } from "../../../protocol/session-message.ts";
import { makeCsr } from "../../support/csr.ts";
import { makeParty, type Party } from "../../support/parties.ts";
import { makeRegistrar, type TestRegistrar } from "../support/registrar.ts";
import { hashOf } from "../support/store-bench.ts";
import { temporaryDirectories } from "../support/temporary.ts";
import { openTestCloud, type TestCloud } from "../support/test-cloud.ts";
import { celsius, openTestDevice, type TestDevice } from "../support/test-device.ts";

const DAY = 24 * 3600;
const temporary = temporaryDirectories();
const devices: TestDevice[] = [];
let older: Party;
let registrar: TestRegistrar;
let cloud: TestCloud;
/** The device under its old key, a session of it, and the same device under its new key. */
let before: TestDevice;
let session: DeviceSession;
let after: TestDevice;

function newDevice(): TestDevice {
  const made = openTestDevice();
  devices.push(made);
  return made;
}

beforeEach(async () => {
  const directory = temporary();
  older = makeParty();
  registrar = await makeRegistrar(directory);
  cloud = openTestCloud(directory, (same) => same, [older], registrar);
  before = newDevice();
  after = newDevice();
  await cloud.store.registerDevice(
    { kid: before.kid, publicKey: before.point, thumbprint: before.thumbprint, name: "boiler" },
    cloud.clock.now,
    { deviceId: "boiler-1", userId: "ann" },
  );
  session = before.openSession(cloud.self.publicKey);
  await cloud.send(before, "session", session.message);
});
afterEach(async () => {
  for (const each of devices.splice(0)) each.close();
  await cloud.close();
});

let commands = 0;
/** An update to the device under its old key; the hash of it. */
async function issue(to = before): Promise<Bytes> {
  const hash = hashOf(`command ${commands++}`);
  const issuedAt = cloud.clock.now;
  const draft = { device: to.kid, action: "update", form: "sealed", userId: "ann" } as const;
  await cloud.store.issueCommand({ ...draft, issuedAt, expiresAt: issuedAt + 60 }, () => {
    return { message: "m" as Bytes, hash };
  });
  return hash;
}

const csrOf = ({ crypto }: TestDevice) => crypto.writeCsr(crypto.openDeviceKey());

async function makeRoll(csr = csrOf(after), command?: Bytes): Promise<Signed> {
  const content = { command: command ?? (await issue()), status: STATUS_ROLLED, detail: csr };
  return before.makeReply(cloud.self.publicKey, content);
}

const sendReply = ({ message }: Signed) => cloud.send(before, "reply", message);

async function roll(): Promise<AcceptedReply> {
  const outcome = await sendReply(await makeRoll());
  expect(outcome).toMatchObject({ kind: "reply", isReceipted: false, status: STATUS_ROLLED });
  return outcome as AcceptedReply;
}

const openNew = (of = after) => {
  const { message } = of.openSession(cloud.self.publicKey);
  return cloud.send(of, "session", message);
};
const read = () => cloud.send(before, "reading", before.seal(session, celsius(1)));
const find = (device: TestDevice) => cloud.store.findDevice(device.kid);
const refusedAs = (reason: string) => expect.objectContaining({ kind: "refused", reason });

describe("the reply that introduces a new key", () => {
  it("is answered under the new key, for that reply", async () => {
    const { hash, enrolled } = await roll();
    expect(enrolled?.to).toBe(after.kid);
    const opened = after.openEnrolled(enrolled?.message as Bytes);
    expect(opened).toMatchObject({ request: hash.substring(0, 16), time: cloud.clock.now });
    expect(readCertificate(opened.certificate)).toMatchObject({
      ...{ role: "device", publicKey: after.point, subject: `CN=${after.kidHex}` },
    });
    expect(() => before.openEnrolled(enrolled?.message as Bytes)).toThrow();
  });

  it("is answered with the same bytes when it comes again, to another process too", async () => {
    const reply = await makeRoll();
    const first = (await sendReply(reply)) as AcceptedReply;
    const index = readFileSync(registrar.indexPath, "utf8");
    expect(await sendReply(reply)).toMatchObject({
      ...{ repeat: true, isReceipted: false, enrolled: first.enrolled },
    });
    await openNew();
    expect(await sendReply(reply)).toMatchObject({ repeat: true, enrolled: first.enrolled });
    expect(readFileSync(registrar.indexPath, "utf8")).toBe(index);
  });

  it("leaves the old key at work until the new one has a session", async () => {
    await roll();
    expect(await read()).toMatchObject({ kind: "reading" });
    const event = after.makeEvent(cloud.self.publicKey);
    expect(await cloud.send(after, "event", event.message)).toEqual(refusedAs("device-rolled"));
    expect(await find(before)).toMatchObject({ state: "registered", deviceId: "boiler-1" });
    expect(await find(after)).toMatchObject({ state: "rolling", deviceId: undefined });
  });

  it.each<[string, string, () => Bytes]>([
    ["is its own old one", "key-known", () => csrOf(before)],
    ["is the cloud's", "key-known", () => makeCsr(older)],
    ["has not signed its CSR", "signature", () => `${csrOf(after).slice(0, -1)}!` as Bytes],
    ["is in no CSR", "form", () => "no request" as Bytes],
  ])("is refused where the key %s", async (_what, reason, csr) => {
    expect(await sendReply(await makeRoll(csr()))).toEqual(refusedAs(reason));
    expect(await cloud.store.listDevices()).toHaveLength(1);
  });

  it("is refused where the key is another device's, or on its way to be", async () => {
    const other = newDevice();
    await cloud.register(other);
    expect(await sendReply(await makeRoll(csrOf(other)))).toEqual(refusedAs("key-known"));
    const command = await issue(other);
    const content = { command, status: STATUS_ROLLED, detail: csrOf(after) };
    await cloud.send(other, "reply", other.makeReply(cloud.self.publicKey, content).message);
    expect(await sendReply(await makeRoll())).toEqual(refusedAs("key-known"));
  });

  it("is refused as a second reply to its command", async () => {
    const command = await issue();
    const done = { command, status: STATUS_DONE, detail: 0 };
    await sendReply(before.makeReply(cloud.self.publicKey, done));
    expect(await sendReply(await makeRoll(csrOf(after), command))).toEqual(
      refusedAs("command-other"),
    );
  });
});

describe("the first session of a new key", () => {
  it("takes over name, device id, user and command counter, and closes the old key", async () => {
    await roll();
    const last = await issue();
    const { counter } = (await cloud.store.findCommandByHash(before.kid, last)) ?? { counter: 0 };
    expect(await openNew()).toMatchObject({ kind: "session", repeat: false });
    expect(await cloud.store.findDeviceById("boiler-1")).toMatchObject({
      ...{ kid: after.kid, state: "enrolled", name: "boiler", userId: "ann" },
    });
    expect(await find(before)).toMatchObject({ state: "rolled", rolledAt: cloud.clock.now });
    const event = before.makeEvent(cloud.self.publicKey);
    expect(await cloud.send(before, "event", event.message)).toEqual(refusedAs("device-rolled"));
    expect(await openNew(before)).toEqual(refusedAs("device-rolled"));
    const next = await issue(after);
    expect((await cloud.store.findCommandByHash(after.kid, next))?.counter).toBeGreaterThan(
      counter,
    );
  });

  it("lets readings of the old key's sessions in for 30 days", async () => {
    await roll();
    await openNew();
    expect(await read()).toMatchObject({ kind: "reading", repeat: false });
    cloud.clock.now += 30 * DAY;
    expect(await read()).toMatchObject({ kind: "reading", repeat: false });
    cloud.clock.now += 1;
    expect(await read()).toEqual(refusedAs("device-rolled"));
  });

  it("ends every other key that was to replace the old one", async () => {
    await roll();
    const second = after;
    after = newDevice();
    await roll();
    await openNew();
    expect(await find(second)).toMatchObject({ state: "revoked" });
    expect(await openNew(second)).toEqual(refusedAs("device-revoked"));
  });

  it("is refused where the old key was closed meanwhile", async () => {
    await roll();
    await cloud.store.revokeDevice(before.kid, cloud.clock.now);
    expect(await openNew()).toEqual(refusedAs("device-rolled"));
    expect(await find(after)).toMatchObject({ state: "rolling" });
  });

  it("comes again without a change", async () => {
    await roll();
    const { message } = after.openSession(cloud.self.publicKey);
    await cloud.send(after, "session", message);
    const all = await cloud.store.listDevices();
    expect(await cloud.send(after, "session", message)).toMatchObject({ repeat: true });
    expect(await cloud.store.listDevices()).toEqual(all);
  });
});

describe("a key that was replaced", () => {
  it("neither enrols, nor is registered or commanded again", async () => {
    await roll();
    await openNew();
    const { message } = before.makeEnrol(cloud.self.publicKey);
    expect(await cloud.send(before, "enrol", message)).toEqual(refusedAs("device-rolled"));
    await expect(cloud.register(before)).rejects.toMatchObject({ code: "kid" });
    const draft = { device: before.kid, action: "update", form: "sealed", userId: "ann" } as const;
    const times = { issuedAt: cloud.clock.now, expiresAt: cloud.clock.now + 60 };
    const refused = await cloud.store.issueCommand({ ...draft, ...times }, () => {
      throw new Error("made");
    });
    expect(refused).toBe("device-revoked");
  });
});
