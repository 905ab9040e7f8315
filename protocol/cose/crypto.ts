import type { Bytes } from "../bytes.ts";

/**
 * A key inside a crypto module. Nothing above the module sees key material: the
 * device's handle is an integer (slot and generation), the cloud's is an object.
 */
export interface KeyHandle {
  readonly __keyHandle: true;
}

/** What a key may be used for; the flags add up. The C module enforces them. */
export const USAGE_SIGN = 1;
/** Input of ECDH (private key) or HKDF (session key). */
export const USAGE_DERIVE = 2;
/** AES-GCM with a nonce of the caller's. */
export const USAGE_ENCRYPT = 4;
export const USAGE_DECRYPT = 8;
/** AES-GCM only with sequence numbers that the module itself hands out, each once. */
export const USAGE_ENCRYPT_SEQUENCE = 16;
/** May carry another key inside its ciphertext (a content encryption key). */
export const USAGE_WRAP = 32;
/** May be carried: wrapped for a recipient, or inside the ciphertext of a WRAP key. */
export const USAGE_CARRIED = 64;

/**
 * The only door to cryptography of everything in protocol/. Bytes in and out,
 * P-256 points uncompressed (65 bytes, 0x04 first), SHA-256 throughout.
 *
 * Every function throws a CoseflowError: "argument" for a wrong size, "key" for a
 * handle that names no key or a use its flags forbid, "random" when the random
 * source fails. Nothing is returned before a tag or signature is checked.
 */
export interface CoseCrypto {
  /** Random bytes from the operating system or the chip's true source. */
  generateRandom(length: number): Bytes;

  /** SHA-256, 32 bytes (FIPS 180-4). */
  hashCompute(input: Bytes): Bytes;

  /** A fresh, volatile AES-128 key. An ENCRYPT_SEQUENCE key gets a random Base IV with it. */
  generateKey(usage: number): KeyHandle;

  /** Wipes a volatile key. A handle that names no key is an error: it was destroyed twice. */
  destroyKey(key: KeyHandle): void;

  /** The public point of a P-256 key, 65 bytes. There is no function for the private part. */
  exportPublicKey(key: KeyHandle): Bytes;

  /** ES256 over the message (RFC 9053 section 2.1): 64 bytes, r then s. */
  signMessage(key: KeyHandle, message: Bytes): Bytes;

  /** True when the 64-byte ES256 signature is the public key's over the message. */
  verifyMessage(publicKey: Bytes, message: Bytes, signature: Bytes): boolean;

  /**
   * ECDH-ES+A128KW (RFC 9053 section 6.4.1) with a fresh ephemeral key: the
   * ephemeral public point (65 bytes) followed by the wrapped key (24 bytes).
   * `kdfContext` is the info of HKDF-SHA-256 (salt empty, 16 bytes out).
   */
  keyAgreementWrap(publicKey: Bytes, kdfContext: Bytes, carried: KeyHandle): Bytes;

  /**
   * The way back: agrees with the ephemeral public key (65 bytes, or 33 with the
   * sign of y in the first), unwraps the 24 bytes into a handle with `usage`.
   * "decrypt" when the wrap does not verify.
   */
  keyAgreementUnwrap(
    key: KeyHandle,
    ephemeralPublicKey: Bytes,
    kdfContext: Bytes,
    wrapped: Bytes,
    usage: number,
  ): KeyHandle;

  /** AES-128-GCM, 12-byte nonce, 16-byte tag at the end of the result. */
  aeadEncrypt(key: KeyHandle, nonce: Bytes, aad: Bytes, plaintext: Bytes): Bytes;

  /** The plaintext; "decrypt" when the tag does not verify. */
  aeadDecrypt(key: KeyHandle, nonce: Bytes, aad: Bytes, ciphertext: Bytes): Bytes;

  /**
   * AES-128-GCM over `prefix` followed by the 16 bytes of a CARRIED key, under a
   * WRAP key, assembled inside the module. The two keys must differ.
   */
  aeadEncryptKey(
    key: KeyHandle,
    nonce: Bytes,
    aad: Bytes,
    prefix: Bytes,
    carried: KeyHandle,
  ): Bytes;

  /**
   * The way back, under a DECRYPT key: the plaintext must be `prefixLength` bytes
   * and a 16-byte key ("form" otherwise). Only the prefix comes out; the key
   * becomes a handle with `usage`.
   */
  aeadDecryptKey(
    key: KeyHandle,
    nonce: Bytes,
    aad: Bytes,
    ciphertext: Bytes,
    prefixLength: number,
    usage: number,
  ): { prefix: Bytes; key: KeyHandle };

  /** HKDF-SHA-256 (RFC 5869), empty salt, 16 bytes out, from a DERIVE key into a new handle. */
  deriveKey(key: KeyHandle, info: Bytes, usage: number): KeyHandle;
}

/** What the device's module offers beyond COSE: its own key, its counter, its sequence numbers. */
export interface DeviceCrypto extends CoseCrypto {
  /**
   * The device's own P-256 key (SIGN and DERIVE), made and stored on the first
   * call of its life, opened on every later one. "store" when the record is
   * damaged or cannot be written; it is never replaced silently.
   */
  openDeviceKey(): KeyHandle;

  /**
   * The next value of the device counter, from 1: stored and read back before it
   * is returned, so that no value is handed out twice. A damaged slot adds 1,024.
   * "sequence" at its limit (2^32 - 1).
   */
  nextDeviceCounter(): number;

  /** The 12-byte Base IV of an ENCRYPT_SEQUENCE key: not a secret, it travels with the key. */
  exportBaseIv(key: KeyHandle): Bytes;

  /** The next sequence number of an ENCRYPT_SEQUENCE key, from 1; "sequence" past 2^20. */
  reserveSequence(key: KeyHandle): number;

  /**
   * AES-128-GCM under the sequence number just reserved; the nonce is Base IV XOR
   * number (RFC 9052 section 3.1). Each number encrypts once: "sequence" otherwise.
   */
  aeadEncryptSequence(key: KeyHandle, sequence: number, aad: Bytes, plaintext: Bytes): Bytes;
}
