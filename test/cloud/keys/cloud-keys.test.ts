import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import {
  initKeys,
  KEY_FILES,
  loadKeys,
  readCloudPublicKey,
} from "../../../cloud/keys/cloud-keys.ts";
import { createPrivateFile } from "../../../cloud/keys/private-file.ts";
import { CLOUD_ROLE } from "../../../cloud/keys/roles.ts";
import { nodeCrypto } from "../../support/parties.ts";
import { temporaryDirectories } from "../support/temporary.ts";

const temporary = temporaryDirectories();
let directory: string;

beforeEach(async () => {
  directory = join(temporary(), "state", "keys");
  await initKeys(directory);
});

const pathOf = (name: keyof typeof KEY_FILES) => join(directory, KEY_FILES[name]);

function openssl(...args: string[]): string {
  return execFileSync("openssl", args, { encoding: "utf8" });
}

describe("initKeys", () => {
  it("makes files for the owner alone, and leaves no temporary one", () => {
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory).sort()).toEqual(Object.values(KEY_FILES).sort());
    for (const name of readdirSync(directory))
      expect(statSync(join(directory, name)).mode & 0o777, name).toBe(0o600);
    expect(statSync(pathOf("kek")).size).toBe(32);
  });

  it("replaces nothing, and adds nothing where one file is there", async () => {
    const before = readFileSync(pathOf("cloudKey"), "utf8");
    await expect(initKeys(directory)).rejects.toThrow(/never replaced/);
    unlinkSync(pathOf("kek"));
    await expect(initKeys(directory)).rejects.toThrow(/never replaced/);
    expect(readFileSync(pathOf("cloudKey"), "utf8")).toBe(before);
    expect(readdirSync(directory)).not.toContain(KEY_FILES.kek);
    expect(() => createPrivateFile(directory, KEY_FILES.cloudKey, "x")).toThrow(/EEXIST/);
    expect(readFileSync(pathOf("cloudKey"), "utf8")).toBe(before);
  });

  it("refuses a directory that others may enter", async () => {
    const open = temporary();
    chmodSync(open, 0o750);
    await expect(initKeys(open)).rejects.toThrow(/mode 700, got 750/);
    expect(readdirSync(open)).toEqual([]);
  });

  it("makes certificates that openssl verifies", () => {
    expect(
      openssl("verify", "-CAfile", pathOf("rootCertificate"), pathOf("cloudCertificate")),
    ).toMatch(/: OK/);
    const text = openssl("x509", "-in", pathOf("cloudCertificate"), "-noout", "-text");
    expect(text).toContain("CA:FALSE");
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Key Agreement\n/);
    expect(text).toMatch(/X509v3 Extended Key Usage: critical\s+2\.25\.\d+\n/);
    expect(text).toContain(CLOUD_ROLE);
    expect(text).toContain("ecdsa-with-SHA256");
    const root = openssl("x509", "-in", pathOf("rootCertificate"), "-noout", "-text");
    expect(root).toMatch(/X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:1\n/);
  });

  it("gives every certificate a serial number of its own of at least 64 bits", async () => {
    const other = join(temporary(), "keys");
    await initKeys(other);
    const serials = [directory, other].flatMap((folder) =>
      [KEY_FILES.rootCertificate, KEY_FILES.cloudCertificate].map(
        (name) => new X509Certificate(readFileSync(join(folder, name))).serialNumber,
      ),
    );
    expect(new Set(serials).size).toBe(4);
    for (const serial of serials) expect(serial.length).toBeGreaterThanOrEqual(16);
  });
});

describe("loadKeys", () => {
  it("opens what was made, and shows nothing of it", () => {
    const keys = loadKeys(nodeCrypto, directory);
    expect(keys.publicKey).toBe(readCloudPublicKey(directory));
    expect(keys.publicKey).toHaveLength(65);
    expect(keys.kid).toBe(keys.thumbprint.substring(0, 8));
    expect(JSON.stringify([keys.key, keys.kek])).toBe("[{},{}]");
  });

  it("serves without the root's key", () => {
    unlinkSync(pathOf("rootKey"));
    expect(loadKeys(nodeCrypto, directory).publicKey).toHaveLength(65);
  });

  it.each(["cloudKey", "kek"] as const)("refuses %s when others may read it", (name) => {
    chmodSync(pathOf(name), 0o640);
    expect(() => loadKeys(nodeCrypto, directory)).toThrow(/mode 600, got 640/);
  });

  it("refuses a directory that others may enter, a linked key, and none at all", () => {
    chmodSync(directory, 0o755);
    expect(() => loadKeys(nodeCrypto, directory)).toThrow(/mode 700, got 755/);
    chmodSync(directory, 0o700);
    copyFileSync(pathOf("kek"), join(directory, "elsewhere"));
    unlinkSync(pathOf("kek"));
    symlinkSync(join(directory, "elsewhere"), pathOf("kek"));
    expect(() => loadKeys(nodeCrypto, directory)).toThrow(/ELOOP/);
    expect(() => loadKeys(nodeCrypto, join(directory, "none"))).toThrow(/coseflow keys init/);
  });

  it("refuses a certificate for another key, and one that the root did not sign", async () => {
    const other = join(temporary(), "keys");
    await initKeys(other);
    copyFileSync(join(other, KEY_FILES.rootCertificate), pathOf("rootCertificate"));
    expect(() => loadKeys(nodeCrypto, directory)).toThrow(/signed by the root/);
    copyFileSync(join(other, KEY_FILES.cloudCertificate), pathOf("cloudCertificate"));
    expect(() => loadKeys(nodeCrypto, directory)).toThrow(/expected one for/);
  });
});
