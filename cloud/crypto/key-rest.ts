import { createSecretKey, randomBytes } from "node:crypto";
import type { Bytes } from "../../protocol/bytes.ts";
import type { KeyHandle } from "../../protocol/cose/crypto.ts";
import { fromBuffer, toBuffer, toSizedBuffer } from "./convert.ts";
import { checkUsage, makeContentKey, makeKey, useKey } from "./key.ts";
import { gcmOpen, gcmSeal, KEY_SIZE, NONCE_SIZE, TAG_SIZE } from "./primitives.ts";

const KEK_SIZE = 32;
/** A sealed key: nonce, ciphertext, tag. */
const SEALED_SIZE = NONCE_SIZE + KEY_SIZE + TAG_SIZE;

/**
 * Session keys at rest: AES-256-GCM under a key-encryption key, so that a copy of
 * the database opens nothing. The nonce is random, so one KEK seals at most 2^32
 * keys (SP 800-38D section 8.3).
 */
export interface KeyRest {
  /** A key-encryption key of 32 bytes: it seals and opens, and does nothing else. */
  importKek(secret: Bytes): KeyHandle;
  /** A content key as 44 bytes. `aad` is the place it belongs to, such as device and session. */
  sealKey(key: KeyHandle, kek: KeyHandle, aad: Bytes): Bytes;
  /** The way back, with the usage the key shall have; "decrypt" under another KEK or `aad`. */
  openKey(sealed: Bytes, kek: KeyHandle, aad: Bytes, usage: number): KeyHandle;
}

export function createKeyRest(): KeyRest {
  return {
    importKek(secret) {
      const buffer = toSizedBuffer(secret, KEK_SIZE, "key-encryption key");
      const material = { kind: "kek", secret: createSecretKey(buffer) } as const;
      buffer.fill(0);
      return makeKey(material, 0);
    },

    sealKey(key, kek, aad) {
      const aadBuffer = toBuffer(aad, "AAD");
      const kekSecret = useKey(kek, "kek", 0).secret;
      const secret = useKey(key, "content", 0).secret.export();
      const nonce = randomBytes(NONCE_SIZE);
      const sealed = gcmSeal("aes-256-gcm", kekSecret, nonce, aadBuffer, secret);
      secret.fill(0);
      return fromBuffer(Buffer.concat([nonce, sealed]));
    },

    openKey(sealed, kek, aad, usage) {
      checkUsage("content", usage);
      const buffer = toSizedBuffer(sealed, SEALED_SIZE, "sealed key");
      const aadBuffer = toBuffer(aad, "AAD");
      const { secret } = useKey(kek, "kek", 0);
      const nonce = buffer.subarray(0, NONCE_SIZE);
      const opened = gcmOpen("aes-256-gcm", secret, nonce, aadBuffer, buffer.subarray(NONCE_SIZE));
      return makeContentKey(opened, usage);
    },
  };
}
