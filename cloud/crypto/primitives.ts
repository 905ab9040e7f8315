import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPublicKey,
  type ECDH,
  type KeyObject,
} from "node:crypto";
import { fail } from "../../protocol/errors.ts";

/*
 * The primitives of the one profile over node:crypto, Buffers in and out. Sizes
 * are the callers' to check. Secrets made here are wiped here; a returned one is
 * the caller's to wipe.
 */

/** OpenSSL's name of P-256 (secp256r1). */
export const P256 = "prime256v1";
/** Bytes of an AES-128 key, and of an HKDF output in this profile. */
export const KEY_SIZE = 16;
/** RFC 9053 section 4.1 fixes the nonce of AES-GCM at 96 bits. */
export const NONCE_SIZE = 12;
export const TAG_SIZE = 16;
/** An AES-128 key under RFC 3394: one block of 64 bits more. */
export const WRAPPED_SIZE = 24;
/** An uncompressed P-256 point: 0x04, x, y. */
export const POINT_SIZE = 65;
/** A compressed P-256 point: 0x02 or 0x03 (the sign of y), x. */
export const COMPRESSED_POINT_SIZE = 33;

/** RFC 3394 section 2.2.3.1. */
const WRAP_IV = Buffer.alloc(8, 0xa6);
/** RFC 5869 section 2.2: an absent salt is as many zeros as the hash is long. */
const EMPTY_SALT = Buffer.alloc(32);
/** RFC 5869 section 2.3: the counter of the first and, for 16 bytes, only block. */
const FIRST_BLOCK = Buffer.from([1]);

/** A key for AES: a KeyObject that stays in OpenSSL, or bytes that live for one call. */
export type AesKey = KeyObject | Buffer;

/** The lengths of AES key that GCM takes here: sessions and content 128, keys at rest 256. */
export type GcmCipher = "aes-128-gcm" | "aes-256-gcm";

/** AES-GCM (SP 800-38D): the ciphertext with the 16-byte tag at its end. */
export function gcmSeal(
  cipherName: GcmCipher,
  key: AesKey,
  nonce: Buffer,
  aad: Buffer,
  plaintext: Buffer,
): Buffer {
  const cipher = createCipheriv(cipherName, key, nonce, { authTagLength: TAG_SIZE });
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The plaintext; "decrypt" when the tag does not verify or does not fit in. */
export function gcmOpen(
  cipherName: GcmCipher,
  key: AesKey,
  nonce: Buffer,
  aad: Buffer,
  ciphertext: Buffer,
): Buffer {
  const length = ciphertext.length - TAG_SIZE;
  const decipher = createDecipheriv(cipherName, key, nonce, { authTagLength: TAG_SIZE });
  decipher.setAAD(aad);
  decipher.setAuthTag(ciphertext.subarray(length));
  const plaintext = decipher.update(ciphertext.subarray(0, length));
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    fail("decrypt", "ciphertext, expected a tag that verifies, got another");
  }
  return plaintext;
}

/** AES Key Wrap (RFC 3394) of a 16-byte key: 24 bytes. */
export function wrapKey(kek: Buffer, key: Buffer): Buffer {
  const cipher = createCipheriv("id-aes128-wrap", kek, WRAP_IV);
  return Buffer.concat([cipher.update(key), cipher.final()]);
}

/** The 16 bytes; "decrypt" when the integrity check of RFC 3394 section 2.2.2 fails. */
export function unwrapKey(kek: Buffer, wrapped: Buffer): Buffer {
  const key = tryUnwrap(kek, wrapped);
  // OpenSSL gives nothing, and no error, for lengths that it does not take.
  if (key?.length !== KEY_SIZE)
    fail("decrypt", "wrapped key, expected one that verifies, got another");
  return key;
}

function tryUnwrap(kek: Buffer, wrapped: Buffer): Buffer | undefined {
  try {
    const decipher = createDecipheriv("id-aes128-wrap", kek, WRAP_IV);
    return Buffer.concat([decipher.update(wrapped), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** HKDF-SHA-256 (RFC 5869), empty salt, 16 bytes out. Two HMACs cost less than half of hkdfSync. */
export function hkdf(secret: Buffer, info: Buffer): Buffer {
  const pseudoRandomKey = createHmac("sha256", EMPTY_SALT).update(secret).digest();
  const block = createHmac("sha256", pseudoRandomKey).update(info).update(FIRST_BLOCK).digest();
  pseudoRandomKey.fill(0);
  const output = Buffer.from(block.subarray(0, KEY_SIZE));
  block.fill(0);
  return output;
}

/**
 * The x coordinate of the shared point (SP 800-56A section 5.7.1.2), 32 bytes.
 * `point` is compressed or not; "argument" when it is not on the curve.
 */
export function agree(context: ECDH, point: Buffer): Buffer {
  try {
    return context.computeSecret(point);
  } catch {
    fail("argument", "public key, expected a point on P-256, got none");
  }
}

/** A 65-byte point as a public key for signatures; "argument" when it is not on the curve. */
export function importPublicPoint(point: Buffer): KeyObject {
  const x = point.subarray(1, 33).toString("base64url");
  const y = point.subarray(33).toString("base64url");
  try {
    return createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  } catch {
    fail("argument", "public key, expected a point on P-256, got none");
  }
}
