import { readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readAudit } from "../../../cloud/audit/log.ts";
import { isIssuedBy, readCertificate } from "../../../cloud/ca/certificate.ts";
import { hashOfClaim } from "../../../cloud/claims.ts";
import type { AcceptedEnrol } from "../../../cloud/registrar/accept-enrol.ts";
import { type Bytes, fromHex } from "../../../protocol/bytes.ts";
import { makeCsr } from "../../support/csr.ts";
import { makeParty, type Party } from "../../support/parties.ts";
import { makeUnder, NOW } from "../support/authority.ts";
import { makeRegistrar, type TestRegistrar } from "../support/registrar.ts";
import { temporaryDirectories } from "../support/temporary.ts";
import { openTestCloud, type TestCloud } from "../support/test-cloud.ts";
import { openTestDevice, type TestDevice } from "../support/test-device.ts";

const CLAIM = "000102030405060708090a0b0c0d0e0f";
const claim = fromHex(CLAIM);

const temporary = temporaryDirectories();
const devices: TestDevice[] = [];
let older: Party;
let registrar: TestRegistrar;
let cloud: TestCloud;
let device: TestDevice;

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
  device = newDevice();
});
afterEach(async () => {
  for (const each of devices.splice(0)) each.close();
  await cloud.close();
});

function makeClaim(digits = CLAIM, change: object = {}) {
  const madeAt = cloud.clock.now;
  const made = { hash: hashOfClaim(digits), userId: "ann", deviceId: undefined, madeAt };
  return cloud.store.makeClaim({ ...made, expiresAt: madeAt + 3600, ...change });
}

const send = (message: Bytes, from = device) => cloud.send(from, "enrol", message);

/** Enrols with the claim, unless changed; the outcome. */
function enrol(from = device, change: object = {}) {
  return send(from.makeEnrol(cloud.self.publicKey, { claim, ...change }).message, from);
}

async function enrolledBy(outcome: unknown): Promise<AcceptedEnrol> {
  expect(await outcome).toMatchObject({ kind: "enrol" });
  return (await outcome) as AcceptedEnrol;
}

const refusedAs = (reason: string) => expect.objectContaining({ kind: "refused", reason });

function audit() {
  const database = new Database(cloud.path, { readonly: true });
  try {
    return [...readAudit(database)];
  } finally {
    database.close();
  }
}

describe("a device with a claim", () => {
  beforeEach(() => makeClaim());

  it("gets a certificate of its key and name, sealed to it, for its request", async () => {
    const { message, hash } = device.makeEnrol(cloud.self.publicKey, { claim });
    const { repeat, enrolled } = await enrolledBy(send(message));
    expect(repeat).toBe(false);
    const { request, certificate, time, settings } = device.openEnrolled(enrolled);
    expect([request, time, settings]).toEqual([hash.substring(0, 16), cloud.clock.now, {}]);
    const read = readCertificate(certificate);
    expect(read).toMatchObject({
      ...{ role: "device", publicKey: device.point, subject: `CN=${device.kidHex}` },
    });
    expect(isIssuedBy(read, registrar.issuing.certificate)).toBe(true);
    expect(registrar.index.list().issued.map(({ serial }) => serial)).toContain(read.serial);
    expect(await cloud.store.findDevice(device.kid)).toMatchObject({
      ...{ state: "enrolled", deviceId: "shed", userId: "ann", certificate },
      ...{ publicKey: device.point, thumbprint: device.thumbprint },
    });
    expect(enrolled.length).toBeLessThanOrEqual(1024);
  });

  it("opens a session then, like any registered device", async () => {
    await enrol();
    const { message } = device.openSession(cloud.self.publicKey);
    expect(await cloud.send(device, "session", message)).toMatchObject({ kind: "session" });
  });

  it("gets the same bytes for the same message, and no second certificate", async () => {
    const { message } = device.makeEnrol(cloud.self.publicKey, { claim });
    const first = await enrolledBy(send(message));
    const index = readFileSync(registrar.indexPath, "utf8");
    const second = await enrolledBy(send(message));
    expect(second).toMatchObject({ repeat: true, enrolled: first.enrolled });
    expect(readFileSync(registrar.indexPath, "utf8")).toBe(index);
    expect(audit().filter(({ class: name }) => name === "certificate")).toHaveLength(1);
  });

  it("may ask again with a new message, and keeps its claim", async () => {
    await enrol();
    expect(device.openEnrolled((await enrolledBy(enrol())).enrolled)).toMatchObject({});
  });

  it("may have sealed to a key that the cloud had before", async () => {
    const { message } = device.makeEnrol(older.publicKey, { claim });
    await enrolledBy(send(message));
    const stranger = newDevice().makeEnrol(makeParty().publicKey, { claim });
    expect(await send(stranger.message, devices[1])).toEqual(refusedAs("kid"));
  });

  it("is told what was revoked before it came, as much as has room", async () => {
    const revoke = async (role: "registrar" | "cloud" | "provisioner", later: number) => {
      const { certificate } = await makeUnder(registrar.root, role, NOW + later);
      registrar.index.add(certificate);
      registrar.index.revoke(certificate.serial, NOW);
      return certificate.notBefore + 1;
    };
    const told = async () => device.openEnrolled((await enrolledBy(enrol())).enrolled).settings;
    const one = { cloud: 0, registrar: await revoke("registrar", 1), provisioner: 0 };
    expect(await told()).toEqual({ issuedNotBefore: one });
    const two = { cloud: await revoke("cloud", 2), provisioner: await revoke("provisioner", 3) };
    expect(await told()).toMatchObject({ issuedNotBefore: { provisioner: two.provisioner } });
  });

  it("names its user and device id in UTF-8", async () => {
    await makeClaim("ff".repeat(16), { userId: "J\u00fcrgen" });
    const utf8 = (text: string) => Buffer.from(text).toString("latin1");
    const words = { userId: utf8("J\u00fcrgen"), deviceId: utf8("B\u00fcro") };
    await enrolledBy(enrol(device, { claim: fromHex("ff".repeat(16)), ...words }));
    expect(await cloud.store.findDeviceById("B\u00fcro")).toMatchObject({ userId: "J\u00fcrgen" });
  });
});

describe("a device whose key was registered before", () => {
  it("needs no claim, and takes the owner that it was given", async () => {
    await cloud.register(device, "greenhouse");
    const { message } = device.makeEnrol(cloud.self.publicKey);
    const { device: named } = await enrolledBy(send(message));
    expect(named.name).toBe("greenhouse");
    expect(await cloud.store.findDevice(device.kid)).toMatchObject({ state: "enrolled" });
  });

  it("streams without enrolling, as ever", async () => {
    await cloud.register(device);
    const { message } = device.openSession(cloud.self.publicKey);
    expect(await cloud.send(device, "session", message)).toMatchObject({ kind: "session" });
  });
});

describe("a device that is refused", () => {
  /** Nothing is bound, spent, issued or signed for it. */
  async function expectNothing(): Promise<void> {
    expect((await cloud.store.counts()).devices).toBe(0);
    expect(await cloud.store.listClaims()).not.toContainEqual(
      expect.objectContaining({ usedBy: device.kid }),
    );
    expect(registrar.index.list().issued).toHaveLength(2);
  }

  it.each<[string, object, object]>([
    ["claim-unknown", {}, { claim: fromHex("00".repeat(16)) }],
    ["claim-expired", { expiresAt: 1_800_000_000 }, {}],
    ["user-id", {}, { userId: "bob" }],
    ["device-id", { deviceId: "boiler" }, {}],
    ["device-unknown", {}, { claim: undefined }],
    ["kid", {}, { csr: makeCsr(makeParty()) }],
    ["form", {}, { csr: "no request" }],
  ])("with %s has left nothing behind", async (reason, madeSo, sentSo) => {
    await makeClaim(CLAIM, madeSo);
    expect(await enrol(device, sentSo)).toEqual(refusedAs(reason));
    await expectNothing();
    await cloud.store.close();
    expect(audit().at(-1)).toMatchObject({
      ...{ kind: "refuse", class: "enrol", reason, kid: device.kid },
    });
  });

  it("has a CSR that its key did not sign", async () => {
    await makeClaim();
    expect(await enrol(device, { csr: unsigned(device) })).toEqual(refusedAs("signature"));
    await expectNothing();
  });

  it("comes second with a claim, or with another's device id", async () => {
    await makeClaim();
    await makeClaim("11".repeat(16));
    await enrolledBy(enrol(newDevice()));
    expect(await enrol(device, { deviceId: "barn" })).toEqual(refusedAs("claim-used"));
    const second = { claim: fromHex("11".repeat(16)) };
    expect(await enrol(device, second)).toEqual(refusedAs("device-id"));
    await enrolledBy(enrol(device, { ...second, deviceId: "barn" }));
  });

  it("sends another's enrol message under its own topic", async () => {
    await makeClaim();
    const { message } = newDevice().makeEnrol(cloud.self.publicKey, { claim });
    expect(await send(message, device)).toEqual(refusedAs("kid"));
    await expectNothing();
  });

  it("has spent this counter on another message", async () => {
    await makeClaim();
    await enrolledBy(enrol(device, { counter: 5 }));
    expect(await enrol(device, { counter: 5, deviceId: "shed" })).toEqual(
      refusedAs("counter-conflict"),
    );
  });

  it("was revoked, its own old message included", async () => {
    await makeClaim();
    const { message } = device.makeEnrol(cloud.self.publicKey, { claim });
    await enrolledBy(send(message));
    await cloud.store.revokeDevice(device.kid, cloud.clock.now);
    await makeClaim("22".repeat(16));
    expect(await send(message)).toEqual(refusedAs("device-revoked"));
    const fresh = enrol(device, { claim: fromHex("22".repeat(16)) });
    expect(await fresh).toEqual(refusedAs("device-revoked"));
  });
});

/** The device's request with its last byte changed, which is the signature's. */
function unsigned({ crypto }: TestDevice): Bytes {
  const csr = crypto.writeCsr(crypto.openDeviceKey());
  const last = csr.charCodeAt(csr.length - 1);
  return (csr.slice(0, -1) + String.fromCharCode(last ^ 1)) as Bytes;
}

describe("a registrar that cannot issue", () => {
  it("refuses and says why, and the readings go on", async () => {
    await makeClaim();
    cloud.clock.now = registrar.registrar.certificate.notAfter + 1;
    await makeClaim("33".repeat(16));
    const outcome = await enrol(device, { claim: fromHex("33".repeat(16)) });
    expect(outcome).toMatchObject({
      reason: "registrar-failed",
      why: expect.stringMatching(/expired/),
    });
    expect((await cloud.store.counts()).devices).toBe(0);
  });

  it("is none where a receiver has no keys of one", async () => {
    const plain = openTestCloud(temporary());
    const { message } = device.makeEnrol(plain.self.publicKey);
    expect(await plain.send(device, "enrol", message)).toEqual(refusedAs("no-registrar"));
    await plain.close();
  });
});
