/** native/espruino/test-arguments.js and test.js: require("devcrypto") in Espruino itself, function by function. */

import { randomBytes, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { initKeys } from "../../cloud/keys/cloud-keys.ts";
import { credentialFiles, KEY_FILES } from "../../cloud/keys/key-directory.ts";
import { CLOUD_ROLE } from "../../cloud/keys/roles.ts";
import { temporaryDirectory } from "../support/built.ts";
import { boot, describeEspruino, writeFlash } from "./espruino.ts";

/** Both halves in one scope, as one program. */
const script = ["test-arguments.js", "test.js"]
  .map((name) => readFileSync(join(import.meta.dirname, "../../native/espruino", name), "utf8"))
  .join("\n");

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const der = (file: string) => new X509Certificate(readFileSync(file)).raw;

/** The contents of an object identifier (X.690 section 8.19), its arcs of any size. */
function encodeOid(oid: string): Buffer {
  const [first, second, ...rest] = oid.split(".").map(BigInt) as [bigint, bigint, ...bigint[]];
  const bytes = [first * 40n + second, ...rest].flatMap((arc) => {
    const digits = [Number(arc & 127n)];
    for (let left = arc >> 7n; left > 0n; left >>= 7n) digits.unshift(Number(left & 127n) | 128);
    return digits;
  });
  return Buffer.from(bytes);
}

describeEspruino("devcrypto in Espruino", () => {
  it("passes its own test from flash, and again after a reset", { timeout: 300_000 }, async () => {
    const [directory, remove] = await temporaryDirectory("devcrypto");
    cleanUp.push(remove);
    const keys = join(directory, "keys");
    await initKeys(keys);
    await writeFlash(directory, {
      ".bootcde": script,
      big: randomBytes(65536),
      anchor: der(join(keys, KEY_FILES.rootCertificate)),
      leaf: der(join(keys, credentialFiles("cloud", 1).certificate)),
      role: encodeOid(CLOUD_ROLE),
    });
    const device = boot(directory);
    cleanUp.push(device.powerOff);
    const [result] = await device.line(/^devcrypto test: .*|^Uncaught.*|^New interpreter error.*/);
    const failed = device.lines.filter((line) => /^FAILED|^Uncaught/.test(line));
    expect(failed).toEqual([]);
    expect(result).toMatch(/^devcrypto test: \d{3,} passed, 0 failed$/);
  });
});
