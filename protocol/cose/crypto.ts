import type { Bytes } from "../bytes.ts";
import type { CoseflowError } from "../errors.ts";

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
   * WRAP key, assembled inside the module. The two must differ; on a device, once only ("key").
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

/** What sessions and readings ask of the device's module: its own key, counter and sequence numbers. */
export interface SessionCrypto extends CoseCrypto {
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

/** One session over deep sleep, inside the module; "unsupported" without one. The last kept counts, and its handle names nothing. */
export interface DeviceSleep {
  /** Right before deep sleep: keeps an ENCRYPT_SEQUENCE key and its last number. After "store" it is as before. */
  keepSession(key: KeyHandle): void;
  /** After a wake from deep sleep, once: the key, counting on. undefined after any other reset. */
  resumeSession(): KeyHandle | undefined;
  /** Why the machine started: a number of ESP-IDF's esp_reset_reason_t, 0 where nothing is known. */
  resetReason(): number;
}

/** The key usage of a certificate, as in the first byte of its bit string (RFC 5280 section 4.2.1.3). */
export const KEY_USAGE_DIGITAL_SIGNATURE = 0x80;
export const KEY_USAGE_KEY_AGREEMENT = 0x08;

/**
 * P-256 keys of the device beside its first one. Stored keys have an id of 1 to 10
 * characters a-z and 0-9; "device" is the id of openDeviceKey and nextDeviceCounter.
 */
export interface DeviceKeys {
  /** A fresh, volatile P-256 pair: SIGN, DERIVE or both. destroyKey wipes it. */
  generateKeyPair(usage: number): KeyHandle;

  /**
   * The stored key of this id (SIGN and DERIVE): made on the first call of its life,
   * opened on every later one. At most 4 are open at a time ("key").
   */
  openKey(id: string): KeyHandle;

  /** True when something is stored under the id, damaged or not, or a first write was cut. */
  hasKey(id: string): boolean;

  /** The counter of a stored key that is open, as nextDeviceCounter; each key has its own. */
  nextCounter(id: string): number;

  /** Moves a stored key's counter forward to 1 to 2^32 - 1; never back: then nothing changes. */
  moveCounter(id: string, counter: number): void;

  /** Erases the stored key, and wipes it if it is open. No such key is no error. */
  eraseKey(id: string): void;
}

/** What a certificate says once it is accepted. */
export interface VerifiedCertificate {
  /** P-256, uncompressed, 65 bytes. */
  publicKey: Bytes;
  /** Unix seconds. */
  notBefore: number;
  notAfter: number;
}

/** The rule of verifyCertificate that a certificate breaks, in the order they are checked (native/core/dc_error.h). */
export type CertificateCause =
  /** The anchor is no certificate of a P-256 CA with keyCertSign. */
  | "anchor"
  /** Not one certificate in DER: cut, followed by more, another length form or shape. */
  | "encoding"
  | "version"
  /** Not ecdsa-with-SHA256 in both places. */
  | "algorithm"
  /** The issuer is not the anchor's subject, byte for byte. */
  | "issuer"
  /** A date that is none, or notAfter before notBefore. */
  | "validity"
  | "expired"
  /** notBefore is before "issued not before". */
  | "too-old"
  | "public-key"
  /** Subject and issuer are the same, or the key is the anchor's. */
  | "self-issued"
  | "duplicate-extension"
  | "critical-extension"
  | "ca"
  | "key-usage-absent"
  /** Not exactly the bit that is required. */
  | "key-usage"
  | "role-absent"
  | "role-not-critical"
  /** Not exactly the role that is required. */
  | "role"
  | "signature";

/** What verifyCertificate throws. */
export interface CertificateError extends CoseflowError {
  code: "certificate";
  cause: CertificateCause;
}

export interface DeviceCertificates {
  /**
   * A PKCS #10 request (RFC 2986, DER) for a SIGN key: its public key, an empty
   * subject (the CA decides on the name), no attributes; at most 190 bytes.
   */
  writeCsr(key: KeyHandle): Bytes;

  /**
   * Accepts a leaf certificate (RFC 5280, DER) right below the anchor. `role` is the
   * contents of the one object identifier that its critical extended key usage must
   * hold, `keyUsage` the one KEY_USAGE_*; notAfter must not be before `timeFloor` nor
   * notBefore before `issuedNotBefore` (Unix seconds). CertificateError otherwise, with
   * the first rule that is broken; the signature, which costs most, is checked last.
   */
  verifyCertificate(
    leaf: Bytes,
    anchor: Bytes,
    role: Bytes,
    keyUsage: number,
    issuedNotBefore: number,
    timeFloor: number,
  ): VerifiedCertificate;
}

/** Small records that survive a power cut. Ids as for stored keys, but of their own. */
export interface DeviceRecords {
  /**
   * Stores up to 4,096 bytes: after a power cut the old record or the new is there,
   * whole. "store" when it was not written.
   */
  writeRecord(id: string, content: Bytes): void;

  /** undefined when there is none; "store" when there is one and both copies are damaged. */
  readRecord(id: string): Bytes | undefined;

  /** No such record is no error. */
  eraseRecord(id: string): void;

  /**
   * Physically erases all keys, records and the ring; every handle names nothing
   * afterwards. After "store" something may be left: call it again.
   */
  eraseAll(): void;
}

/**
 * A queue of byte strings in flash, oldest first, that survives a power cut.
 * "unsupported" where there is no flash for it, "store" when it fails.
 */
export interface DeviceRing {
  /**
   * Adds 1 to 1,088 bytes. When all is full the oldest entries are lost: returns how
   * many, since the last call that succeeded. After "store" read ringCount() again.
   */
  ringAppend(entry: Bytes): number;
  /** Entry `index`, 0 the oldest; undefined past the last. */
  ringPeek(index: number): Bytes | undefined;
  /** Drops the oldest `count` entries, at most all. */
  ringDrop(count: number): void;
  ringCount(): number;
}

/** The device's module: all that touches a secret of the device, or must outlast a reset. */
export interface DeviceCrypto
  extends SessionCrypto,
    DeviceSleep,
    DeviceKeys,
    DeviceCertificates,
    DeviceRecords,
    DeviceRing {}
