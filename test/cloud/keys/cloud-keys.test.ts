import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { makeCredential, openRoot } from "../../../cloud/ca/authority.ts";
import { createDeviceIssuer } from "../../../cloud/ca/device-issuer.ts";
import { openIssuedIndex } from "../../../cloud/ca/issued.ts";
import { ROOT_SIGNED, type RootSignedRole } from "../../../cloud/ca/profile.ts";
import {
  initKeys,
  loadKeys,
  loadProvisionerKey,
  loadRegistrarKeys,
  readCloudPublicKey,
} from "../../../cloud/keys/cloud-keys.ts";
import { credentialFiles, KEY_FILES } from "../../../cloud/keys/key-directory.ts";
import { createPrivateFile } from "../../../cloud/keys/private-file.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { nodeCrypto } from "../../support/parties.ts";
import { codeOf } from "../crypto/support.ts";
import { ecRequest } from "../support/requests.ts";
import { temporaryDirectories } from "../support/temporary.ts";

const NOW = Math.floor(Date.now() / 1000);
const DAY = 24 * 3600;
const PASSPHRASE = "correct horse battery";

const temporary = temporaryDirectories();
let directory: string;

beforeEach(async () => {
  directory = join(temporary(), "state", "keys");
  await initKeys(directory);
});

const pathOf = (name: keyof typeof KEY_FILES) => join(directory, KEY_FILES[name]);
const filesOf = (role: RootSignedRole, number = 1) => credentialFiles(role, number);
const keyOf = (role: RootSignedRole) => join(directory, filesOf(role).key);
const certificateOf = (role: RootSignedRole) => join(directory, filesOf(role).certificate);
const index = () => openIssuedIndex(pathOf("issued"));

async function renew(role: RootSignedRole, now = NOW, passphrase?: string) {
  const root = openRoot(nodeCrypto, directory, { passphrase });
  return await makeCredential(nodeCrypto, directory, root, role, passphrase, now);
}

describe("initKeys", () => {
  it("makes files for the owner alone, and leaves no temporary one", () => {
    const credentials = ROOT_SIGNED.flatMap((role) => Object.values(filesOf(role)));
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory).sort()).toEqual(
      [...Object.values(KEY_FILES), ...credentials].sort(),
    );
    for (const name of readdirSync(directory))
      expect(statSync(join(directory, name)).mode & 0o777, name).toBe(0o600);
    expect(statSync(pathOf("kek")).size).toBe(32);
  });

  it("replaces nothing, and adds nothing where one file is there", async () => {
    const before = readFileSync(keyOf("cloud"), "utf8");
    await expect(initKeys(directory)).rejects.toThrow(/never replaced/);
    expect(() => createPrivateFile(directory, filesOf("cloud").key, "x")).toThrow(/EEXIST/);
    expect(readFileSync(keyOf("cloud"), "utf8")).toBe(before);
    const other = temporary();
    writeFileSync(join(other, "registrar-12.key.pem"), "");
    await expect(initKeys(other)).rejects.toThrow(/never replaced/);
    expect(readdirSync(other)).toEqual(["registrar-12.key.pem"]);
  });

  it("refuses a directory that others may enter", async () => {
    const open = temporary();
    chmodSync(open, 0o750);
    await expect(initKeys(open)).rejects.toThrow(/mode 700, got 750/);
    expect(readdirSync(open)).toEqual([]);
  });

  it("notes every certificate in the index", () => {
    const { issued, damaged } = index().list();
    expect(damaged).toBe(0);
    expect(issued.map(({ role }) => role).sort()).toEqual([...ROOT_SIGNED, "root"].sort());
  });

  it("puts the keys of people under a passphrase, and those of services not", async () => {
    const locked = join(temporary(), "keys");
    await initKeys(locked, PASSPHRASE);
    const text = (name: string) => readFileSync(join(locked, name), "utf8");
    for (const name of [KEY_FILES.rootKey, filesOf("provisioner").key]) {
      expect(text(name)).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
      const args = ["pkey", "-in", join(locked, name), "-noout", "-passin"];
      expect(() => execFileSync("openssl", [...args, `pass:${PASSPHRASE}`])).not.toThrow();
      expect(() => execFileSync("openssl", [...args, "pass:another"], { stdio: "pipe" })).toThrow();
    }
    expect(loadKeys(nodeCrypto, locked).publicKey).toHaveLength(65);
    expect(loadRegistrarKeys(nodeCrypto, locked).registrar.publicKey).toHaveLength(65);
    expect(codeOf(() => loadProvisionerKey(nodeCrypto, locked))).toBe("argument");
    expect(codeOf(() => loadProvisionerKey(nodeCrypto, locked, "another one"))).toBe("argument");
    expect(loadProvisionerKey(nodeCrypto, locked, PASSPHRASE).publicKey).toHaveLength(65);
    expect(codeOf(() => openRoot(nodeCrypto, locked, {}))).toBe("argument");
    expect(openRoot(nodeCrypto, locked, { passphrase: PASSPHRASE }).certificate.role).toBe("root");
  });

  it("refuses a short passphrase before it makes anything", async () => {
    const locked = join(temporary(), "keys");
    await expect(initKeys(locked, "too short")).rejects.toThrow(/12 characters/);
    expect(readdirSync(locked)).toEqual([]);
  });
});

describe("loading", () => {
  it("opens what was made, and shows nothing of it", () => {
    const keys = loadKeys(nodeCrypto, directory);
    expect(keys.publicKey).toBe(readCloudPublicKey(directory));
    expect(keys.publicKey).toHaveLength(65);
    expect(keys.kid).toBe(keys.thumbprint.substring(0, 8));
    expect(keys.older).toEqual([]);
    const { registrar, issuing } = loadRegistrarKeys(nodeCrypto, directory);
    const { key } = loadProvisionerKey(nodeCrypto, directory);
    expect(JSON.stringify([keys.key, keys.kek, registrar.key, issuing.key, key])).toBe(
      "[{},{},{},{},{}]",
    );
  });

  it("lets each key do what its role does, and nothing else", () => {
    const cloud = loadKeys(nodeCrypto, directory);
    expect(codeOf(() => nodeCrypto.signMessage(cloud.key, "x" as Bytes))).toBe("key");
    const { registrar, issuing } = loadRegistrarKeys(nodeCrypto, directory);
    const agree = (key: typeof cloud.key) =>
      nodeCrypto.keyAgreementUnwrap(key, cloud.publicKey, "" as Bytes, "x".repeat(24) as Bytes, 8);
    for (const { key } of [registrar, issuing, loadProvisionerKey(nodeCrypto, directory)]) {
      expect(nodeCrypto.signMessage(key, "x" as Bytes)).toHaveLength(64);
      expect(codeOf(() => agree(key))).toBe("key");
    }
  });

  it("needs no root key", () => {
    unlinkSync(pathOf("rootKey"));
    expect(loadKeys(nodeCrypto, directory).publicKey).toHaveLength(65);
    expect(loadRegistrarKeys(nodeCrypto, directory).issuing.certificate.role).toBe("issuing");
    expect(loadProvisionerKey(nodeCrypto, directory).certificate.role).toBe("provisioner");
  });

  it("refuses keys when others may read them", () => {
    for (const path of [keyOf("cloud"), pathOf("kek"), pathOf("issued")]) {
      chmodSync(path, 0o640);
      expect(() => loadKeys(nodeCrypto, directory)).toThrow(/mode 600, got 640/);
      chmodSync(path, 0o600);
    }
    chmodSync(keyOf("issuing"), 0o604);
    expect(() => loadRegistrarKeys(nodeCrypto, directory)).toThrow(/mode 600, got 604/);
  });

  it("refuses a directory that others may enter, a linked key, and none at all", () => {
    chmodSync(directory, 0o755);
    for (const load of [loadKeys, loadRegistrarKeys, loadProvisionerKey])
      expect(() => load(nodeCrypto, directory)).toThrow(/mode 700, got 755/);
    chmodSync(directory, 0o700);
    copyFileSync(pathOf("kek"), join(directory, "elsewhere"));
    unlinkSync(pathOf("kek"));
    symlinkSync(join(directory, "elsewhere"), pathOf("kek"));
    expect(() => loadKeys(nodeCrypto, directory)).toThrow(/ELOOP/);
    expect(() => loadKeys(nodeCrypto, join(directory, "none"))).toThrow(/coseflow ca init/);
  });

  it("refuses certificates of another key, of another role, and of another root", async () => {
    const other = join(temporary(), "keys");
    await initKeys(other);
    const copy = (from: string, to: string) => copyFileSync(join(other, from), to);
    copyFileSync(certificateOf("provisioner"), certificateOf("registrar"));
    expect(() => loadRegistrarKeys(nodeCrypto, directory)).toThrow(/certificate of registrar/);
    copy(KEY_FILES.rootCertificate, pathOf("rootCertificate"));
    expect(() => loadKeys(nodeCrypto, directory)).toThrow(/signed by the root/);
    copy(filesOf("cloud").certificate, certificateOf("cloud"));
    expect(() => loadKeys(nodeCrypto, directory)).toThrow(/expected one for/);
  });
});

describe("renewing", () => {
  it("goes on opening with the older key, and signs with the newest", async () => {
    const [cloud, registrar] = [
      loadKeys(nodeCrypto, directory).publicKey,
      loadRegistrarKeys(nodeCrypto, directory).registrar.publicKey,
    ];
    const second = await renew("cloud");
    const third = await renew("cloud");
    const keys = loadKeys(nodeCrypto, directory);
    expect(keys.publicKey).toBe(third.publicKey);
    expect(keys.older.map(({ publicKey }) => publicKey)).toEqual([second.publicKey, cloud]);
    expect(readCloudPublicKey(directory)).toBe(third.publicKey);
    const renewed = await renew("registrar");
    expect(renewed.publicKey).not.toBe(registrar);
    expect(loadRegistrarKeys(nodeCrypto, directory).registrar.publicKey).toBe(renewed.publicKey);
  });

  it("gives no two certificates of a role the same start", async () => {
    const starts = [];
    for (let i = 0; i < 3; i++) starts.push((await renew("cloud")).notBefore);
    const [first] = index()
      .list()
      .issued.filter(({ role }) => role === "cloud");
    starts.push(first?.notBefore as number);
    expect(new Set(starts).size).toBe(4);
  });

  it("leaves out what has expired or is revoked, and says when nothing is left", async () => {
    const year = await renew("cloud", NOW + 365 * DAY);
    const first = loadKeys(nodeCrypto, directory).older[0]?.certificate;
    const later = NOW + 731 * DAY;
    expect(loadKeys(nodeCrypto, directory, later).older).toEqual([]);
    expect(loadKeys(nodeCrypto, directory, later).publicKey).toBe(year.publicKey);
    expect(() => loadKeys(nodeCrypto, directory, later + 400 * DAY)).toThrow(
      /coseflow ca issue --role cloud/,
    );
    index().revoke(year.serial, NOW);
    expect(loadKeys(nodeCrypto, directory).publicKey).toBe(first?.publicKey);
    index().revoke(first?.serial as string, NOW);
    expect(() => loadKeys(nodeCrypto, directory)).toThrow(/coseflow ca issue --role cloud/);
  });

  it("is not held up by a key whose certificate was never written", async () => {
    unlinkSync(certificateOf("cloud"));
    expect(() => loadKeys(nodeCrypto, directory)).toThrow(/coseflow ca issue --role cloud/);
    const renewed = await renew("cloud");
    expect(readdirSync(directory)).toContain(filesOf("cloud", 2).certificate);
    expect(loadKeys(nodeCrypto, directory).publicKey).toBe(renewed.publicKey);
  });
});

describe("the root's key", () => {
  it("may be kept elsewhere; a command that needs it says where it looked", async () => {
    const elsewhere = join(temporary(), "usb-stick.pem");
    copyFileSync(pathOf("rootKey"), elsewhere);
    chmodSync(elsewhere, 0o600);
    unlinkSync(pathOf("rootKey"));
    await expect(renew("cloud")).rejects.toThrow(
      new RegExp(`expected at ${pathOf("rootKey")}, got no file.*--root-key`),
    );
    expect(openRoot(nodeCrypto, directory, { path: elsewhere }).certificate.role).toBe("root");
    copyFileSync(keyOf("cloud"), elsewhere);
    expect(() => openRoot(nodeCrypto, directory, { path: elsewhere })).toThrow(
      /expected the key of root.cert.pem/,
    );
  });
});

describe("createDeviceIssuer", () => {
  it("notes a device's certificate before it is given out", async () => {
    const keys = loadRegistrarKeys(nodeCrypto, directory);
    const issueFor = createDeviceIssuer(nodeCrypto, keys.issuing, keys.index);
    const { der, publicKey } = ecRequest();
    const certificate = await issueFor(der, NOW);
    expect(certificate.publicKey).toBe(publicKey);
    const entry = index()
      .list()
      .issued.find(({ serial }) => serial === certificate.serial);
    expect(entry).toMatchObject({ role: "device", subject: certificate.subject });
    unlinkSync(pathOf("issued"));
    await expect(issueFor(der, NOW)).rejects.toThrow(/ENOENT/);
  });
});
