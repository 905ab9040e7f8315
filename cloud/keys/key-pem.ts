import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import type { KeyHandle } from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import type { NodeCrypto } from "../crypto/node-crypto.ts";

/** What RFC 7468 writes above PKCS #8 that is encrypted. */
const ENCRYPTED = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
/**
 * Characters of a passphrase: OpenSSL stretches it with 2,048 rounds of PBKDF2, which
 * makes up for little.
 */
const PASSPHRASE_MIN = 12;

/** A fresh P-256 key as PKCS #8; under a passphrase, in PBES2 with AES-256 (RFC 8018). */
export function makeKeyPem(passphrase: string | undefined): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const form = { type: "pkcs8", format: "pem" } as const;
  if (passphrase === undefined) return privateKey.export(form).toString();
  if (passphrase.length < PASSPHRASE_MIN)
    fail(
      "argument",
      `passphrase, expected ${PASSPHRASE_MIN} characters or more, got ${passphrase.length}`,
    );
  return privateKey.export({ ...form, cipher: "aes-256-cbc", passphrase }).toString();
}

export function isEncrypted(pem: Buffer): boolean {
  return pem.includes(ENCRYPTED);
}

/** The key as a handle; wipes the PEM. "argument" when the passphrase is missing or another. */
export function openKeyPem(
  crypto: NodeCrypto,
  pem: Buffer,
  usage: number,
  passphrase: string | undefined,
): KeyHandle {
  try {
    if (!isEncrypted(pem)) return crypto.importPrivateKey(pem.toString("utf8"), usage);
    if (passphrase === undefined)
      return fail("argument", "private key, expected a passphrase for an encrypted one, got none");
    const der = decrypt(pem, passphrase);
    try {
      return crypto.importPrivateKey(der, usage);
    } finally {
      der.fill(0);
    }
  } finally {
    pem.fill(0);
  }
}

function decrypt(pem: Buffer, passphrase: string): Buffer {
  try {
    return createPrivateKey({ key: pem, passphrase }).export({ type: "pkcs8", format: "der" });
  } catch {
    return fail("argument", "private key, expected the passphrase of its file, got another");
  }
}
