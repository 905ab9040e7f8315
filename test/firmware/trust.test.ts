import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { issueRole, issueRoot } from "../../cloud/ca/issue.ts";
import type { RootSignedRole } from "../../cloud/ca/profile.ts";
import type { Provisioning } from "../../firmware/config.ts";
import { openTrust } from "../../firmware/trust.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { CLOUD, PROVISIONER, REGISTRAR } from "../../protocol/roles.ts";
import { codeOf } from "../cloud/crypto/support.ts";
import {
  makeParty,
  nodeCrypto,
  openDevice,
  type Party,
  type TestDevice,
} from "../support/parties.ts";

const NOW = 1_800_000_000;
const DAY = 86400;
/** Of a role's certificate (cloud/ca/profile.ts). */
const LIFE = 730 * DAY;

const root = makeParty();
const rootCertificate = await issueRoot(nodeCrypto, root.key, NOW);

async function issue(
  role: RootSignedRole,
  { publicKey }: Party,
  notBefore: number,
): Promise<Bytes> {
  const issuer = { certificate: rootCertificate, key: root.key };
  return (await issueRole(nodeCrypto, issuer, role, publicKey, notBefore)).der;
}

const old = makeParty();
const fresh = makeParty();
const signer = makeParty();
const cloud = await issue("cloud", old, NOW);
const newer = await issue("cloud", fresh, NOW + DAY);
const registrar = await issue("registrar", signer, NOW);
const provisioner = await issue("provisioner", signer, NOW);
const foreign = makeParty();
const foreignRoot = await issueRoot(nodeCrypto, foreign.key, NOW);
const forged = (
  await issueRole(
    nodeCrypto,
    { certificate: foreignRoot, key: foreign.key },
    "cloud",
    fresh.publicKey,
    NOW + 2 * DAY,
  )
).der;

let device: TestDevice;
let log: string[];
let settings: Provisioning;

beforeEach(() => {
  device = openDevice();
  log = [];
  settings = {
    anchor: rootCertificate.der,
    cloudCertificate: cloud,
    buildTime: NOW,
    enrolment: undefined,
  };
});
afterEach(() => device.close());

const open = () => openTrust(device.crypto, settings, (line) => log.push(line));
const believed = () => open().cloud()?.publicKey;

describe("the cloud that a device believes", () => {
  it("is the flashed one, as the recipient of what it seals", () => {
    const { publicKey, thumbprint } = old;
    expect(open().cloud()).toEqual({ publicKey, thumbprint });
    expect(log).toEqual([]);
  });

  it("is a later one once that has come, and stays so over a restart", () => {
    expect(open().keep(CLOUD, newer)).toBe(true);
    expect(believed()).toBe(fresh.publicKey);
    expect(open().keep(CLOUD, newer)).toBe(false);
    expect(open().keep(CLOUD, cloud)).toBe(false);
    expect(believed()).toBe(fresh.publicKey);
  });

  it("is not an older one, nor one that the anchor did not sign, nor another role", () => {
    settings.cloudCertificate = newer;
    expect(open().keep(CLOUD, cloud)).toBe(false);
    for (const wrong of [forged, registrar, "\x30\x00" as Bytes])
      expect(codeOf(() => open().keep(CLOUD, wrong))).toBe("certificate");
    expect(device.crypto.readRecord("trust")).toBeUndefined();
    expect(believed()).toBe(fresh.publicKey);
  });

  it("is nobody when the flashed one had expired at the build; a valid one is taken then", () => {
    settings.buildTime = NOW + LIFE + 1;
    expect(believed()).toBeUndefined();
    expect(log).toEqual([expect.stringMatching(/^cloud certificate not acceptable: /)]);
    expect(open().keep(CLOUD, newer)).toBe(true);
    expect(believed()).toBe(fresh.publicKey);
  });

  it("is none from before what it was told, and that is never lowered", () => {
    const issuedNotBefore = { cloud: NOW + 1, registrar: 0, provisioner: 0 };
    open().apply({ issuedNotBefore });
    expect(believed()).toBeUndefined();
    open().apply({ issuedNotBefore: { cloud: 1, registrar: 1, provisioner: 1 } });
    expect(believed()).toBeUndefined();
    expect(open().keep(CLOUD, newer)).toBe(true);
    expect(believed()).toBe(fresh.publicKey);
  });

  it("is the flashed one again where the kept one is of another anchor", () => {
    open().keep(CLOUD, newer);
    settings = { ...settings, anchor: foreignRoot.der, cloudCertificate: forged };
    expect(believed()).toBe(fresh.publicKey);
    expect(log.join()).toMatch(/not acceptable/);
  });
});

describe("an update of certificates", () => {
  it("is taken whole", () => {
    const issuedNotBefore = { cloud: NOW + DAY, registrar: NOW, provisioner: 0 };
    open().apply({ issuedNotBefore, cloudCertificate: newer, registrarCertificate: registrar });
    expect(believed()).toBe(fresh.publicKey);
    expect(open().signer(REGISTRAR, undefined)).toBe(signer.publicKey);
  });

  it("is refused whole where one of it is not acceptable", () => {
    const issuedNotBefore = { cloud: NOW + DAY, registrar: 0, provisioner: 0 };
    const update = { issuedNotBefore, cloudCertificate: cloud };
    expect(codeOf(() => open().apply(update))).toBe("certificate");
    const other = { cloudCertificate: newer, registrarCertificate: provisioner };
    expect(codeOf(() => open().apply(other))).toBe("certificate");
    expect(device.crypto.readRecord("trust")).toBeUndefined();
  });
});

describe("who signs to the device", () => {
  it("is the leaf that a message carries, or the one kept", () => {
    expect(open().signer(REGISTRAR, registrar)).toBe(signer.publicKey);
    expect(codeOf(() => open().signer(REGISTRAR, undefined))).toBe("certificate");
    open().keep(REGISTRAR, registrar);
    expect(open().signer(REGISTRAR, undefined)).toBe(signer.publicKey);
    expect(open().signer(PROVISIONER, provisioner)).toBe(signer.publicKey);
  });

  it("is never the other role", () => {
    expect(codeOf(() => open().signer(REGISTRAR, provisioner))).toBe("certificate");
    expect(codeOf(() => open().signer(PROVISIONER, registrar))).toBe("certificate");
    expect(codeOf(() => open().signer(PROVISIONER, cloud))).toBe("certificate");
  });
});

describe("the time floor", () => {
  it("is the build's at first, then the last time that was heard, written once a day", () => {
    open().advance(NOW + DAY - 1, false);
    expect(open().floor).toBe(NOW);
    expect(device.crypto.readRecord("floor")).toBeUndefined();
    open().advance(NOW + DAY, false);
    expect(open().floor).toBe(NOW + DAY);
    open().advance(NOW + DAY + 1, true);
    expect(open().floor).toBe(NOW + DAY + 1);
    open().advance(NOW, true);
    expect(open().floor).toBe(NOW + DAY + 1);
  });

  it("moves up to the build of a newer image", () => {
    open().advance(NOW + DAY, false);
    settings.buildTime = NOW + 2 * DAY;
    expect(open().floor).toBe(NOW + 2 * DAY);
  });

  it("does not follow a time after the end of a certificate in use", () => {
    open().advance(NOW + LIFE + 1, false);
    expect(open().floor).toBe(NOW);
    expect(log).toEqual([expect.stringMatching(/^time \d+ not believed/)]);
    open().advance(NOW + LIFE, false);
    expect(open().floor).toBe(NOW + LIFE);
  });
});

describe("a damaged record", () => {
  it.each([
    ["trust", ""],
    ["trust", "\x02\x86"],
    ["trust", "\x01\x86\x00"],
    ["floor", ""],
    ["floor", "\x02\x7f"],
  ])("%s of %j counts as none and is told", (id, content) => {
    device.crypto.writeRecord(id, content as Bytes);
    expect(open().cloud()?.publicKey).toBe(old.publicKey);
    expect(open().floor).toBe(NOW);
    expect(log[0]).toMatch(new RegExp(`^record ${id} not used`));
    open().keep(CLOUD, newer);
    open().advance(NOW + DAY, true);
    expect([believed(), open().floor]).toEqual([fresh.publicKey, NOW + DAY]);
  });

  it("that the store cannot read counts as none too", () => {
    const crypto = {
      ...device.crypto,
      readRecord() {
        throw new Error("both copies are damaged");
      },
    };
    const trust = openTrust(crypto, settings, (line) => log.push(line));
    expect(trust.cloud()?.publicKey).toBe(old.publicKey);
    expect(log).toContain("record floor not read: both copies are damaged");
  });
});
