import { execFileSync } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bytes } from "../../../protocol/bytes.ts";
import { fromBinary } from "../../support/cbor-oracle.ts";

/** A PKCS #10 request that the openssl command makes, with a fresh key of its own. */
export function opensslRequest(...args: string[]): { der: Bytes; spki: Buffer } {
  const directory = mkdtempSync(join(tmpdir(), "coseflow-request-"));
  try {
    const file = join(directory, "request.der");
    const key = ["-nodes", "-keyout", join(directory, "key.pem")];
    execFileSync("openssl", ["req", "-new", ...key, "-outform", "DER", "-out", file, ...args], {
      stdio: "pipe",
    });
    const pem = execFileSync("openssl", [
      "req",
      "-inform",
      "DER",
      "-in",
      file,
      "-noout",
      "-pubkey",
    ]);
    const spki = createPublicKey(pem).export({ type: "spki", format: "der" });
    return { der: fromBinary(readFileSync(file)), spki };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const newKey = (curve: string) => ["-newkey", "ec", "-pkeyopt", `ec_paramgen_curve:${curve}`];

/** One for a P-256 key, as the profile wants it but for the subject. */
export function ecRequest(subject = "/", ...more: string[]): { der: Bytes; publicKey: Bytes } {
  const { der, spki } = opensslRequest(...newKey("P-256"), "-subj", subject, ...more);
  return { der, publicKey: fromBinary(spki.subarray(-65)) };
}

export function otherCurveRequest(curve: string): Bytes {
  return opensslRequest(...newKey(curve), "-subj", "/").der;
}
