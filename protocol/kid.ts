import type { Bytes } from "./bytes.ts";
import type { CoseCrypto } from "./cose/crypto.ts";
import { fail } from "./errors.ts";

/** Bytes of a static key id: enough to tell keys apart on the wire. */
export const KID_LENGTH = 8;

/**
 * COSE Key Thumbprint (RFC 9679 section 4) of an uncompressed P-256 point (65
 * bytes): SHA-256 of the deterministic COSE_Key {1: 2, -1: 1, -2: x, -3: y}.
 * Everything authenticated binds these 32 bytes; headers and topics carry the first 8.
 */
export function thumbprintOf(crypto: CoseCrypto, publicKey: Bytes): Bytes {
  if (publicKey.length !== 65 || publicKey.charCodeAt(0) !== 4)
    fail("argument", "public key, expected 65 bytes from 0x04, got " + publicKey.length);
  const x = publicKey.substring(1, 33);
  const y = publicKey.substring(33);
  return crypto.hashCompute(("\xa4\x01\x02\x20\x01\x21\x58\x20" + x + "\x22\x58\x20" + y) as Bytes);
}

/** The key id of a thumbprint: its first 8 bytes. */
export function kidOf(thumbprint: Bytes): Bytes {
  return thumbprint.substring(0, KID_LENGTH) as Bytes;
}
