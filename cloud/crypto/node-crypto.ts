import { createECDH, createHash, randomBytes, sign, verify } from "node:crypto";
import type { Bytes } from "../../protocol/bytes.ts";
import {
  type CoseCrypto,
  type KeyHandle,
  USAGE_CARRIED,
  USAGE_DECRYPT,
  USAGE_DERIVE,
  USAGE_ENCRYPT,
  USAGE_SIGN,
  USAGE_WRAP,
} from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import { fromBuffer, toBuffer, toSizedBuffer } from "./convert.ts";
import { checkUsage, destroyNodeKey, makeContentKey, makeKey, useKey } from "./key.ts";
import { createKeyRest, type KeyRest } from "./key-rest.ts";
import {
  agree,
  COMPRESSED_POINT_SIZE,
  gcmOpen,
  gcmSeal,
  hkdf,
  KEY_SIZE,
  NONCE_SIZE,
  P256,
  TAG_SIZE,
  unwrapKey,
  WRAPPED_SIZE,
  wrapKey,
} from "./primitives.ts";
import { importPrivateKey } from "./private-key.ts";
import { createPublicKeyCache, toPoint } from "./public-key-cache.ts";

/** ES256 signatures are r then s (RFC 9053 section 2.1), which node:crypto calls so. */
const DSA_ENCODING = "ieee-p1363";
const SIGNATURE_SIZE = 64;

/**
 * CoseCrypto over node:crypto, and what the cloud needs besides. Handles are
 * objects of this process that show nothing of the key; content keys are copied
 * out of OpenSSL only for the length of one call, and wiped.
 */
export interface NodeCrypto extends CoseCrypto, KeyRest {
  /**
   * A P-256 private key for SIGN, DERIVE or both: PEM as a string, or DER (PKCS #8
   * or SEC 1). The caller wipes the DER. "argument" for anything else.
   */
  importPrivateKey(encoded: string | Uint8Array, usage: number): KeyHandle;
}

/** A door with a cache of public keys of its own. */
export function createNodeCrypto(): NodeCrypto {
  return { ...basics(), ...signatures(), ...agreements(), ...contents(), ...createKeyRest() };
}

type Basics = Pick<
  NodeCrypto,
  "generateRandom" | "hashCompute" | "generateKey" | "destroyKey" | "deriveKey"
>;

function basics(): Basics {
  return {
    generateRandom(length) {
      if (!Number.isInteger(length) || length < 0)
        fail("argument", `length, expected an integer from 0, got ${length}`);
      return fromBuffer(randomBytes(length));
    },

    hashCompute(input) {
      return fromBuffer(createHash("sha256").update(toBuffer(input, "input")).digest());
    },

    generateKey(usage) {
      checkUsage("content", usage);
      return makeContentKey(randomBytes(KEY_SIZE), usage);
    },

    destroyKey: destroyNodeKey,

    deriveKey(key, info, usage) {
      checkUsage("content", usage);
      const infoBuffer = toBuffer(info, "info");
      const secret = useKey(key, "content", USAGE_DERIVE).secret.export();
      const derived = hkdf(secret, infoBuffer);
      secret.fill(0);
      return makeContentKey(derived, usage);
    },
  };
}

type Signatures = Pick<
  NodeCrypto,
  "importPrivateKey" | "exportPublicKey" | "signMessage" | "verifyMessage"
>;

function signatures(): Signatures {
  const publicKeys = createPublicKeyCache();
  return {
    importPrivateKey(encoded, usage) {
      checkUsage("private", usage);
      return makeKey(importPrivateKey(encoded), usage);
    },

    exportPublicKey(key) {
      return fromBuffer(useKey(key, "private", 0).agreement.getPublicKey());
    },

    signMessage(key, message) {
      const input = toBuffer(message, "message");
      const { signer } = useKey(key, "private", USAGE_SIGN);
      return fromBuffer(sign("sha256", input, { key: signer, dsaEncoding: DSA_ENCODING }));
    },

    verifyMessage(publicKey, message, signature) {
      const input = toBuffer(message, "message");
      const signatureBuffer = toSizedBuffer(signature, SIGNATURE_SIZE, "signature");
      const key = publicKeys.get(publicKey);
      return verify("sha256", input, { key, dsaEncoding: DSA_ENCODING }, signatureBuffer);
    },
  };
}

function agreements(): Pick<NodeCrypto, "keyAgreementWrap" | "keyAgreementUnwrap"> {
  return {
    keyAgreementWrap(publicKey, kdfContext, carried) {
      const point = toPoint(publicKey);
      const info = toBuffer(kdfContext, "KDF context");
      const { secret } = useKey(carried, "content", USAGE_CARRIED);
      const ephemeral = createECDH(P256);
      const ephemeralPoint = ephemeral.generateKeys();
      const kek = deriveKek(agree(ephemeral, point), info);
      const key = secret.export();
      const wrapped = wrapKey(kek, key);
      kek.fill(0);
      key.fill(0);
      return fromBuffer(Buffer.concat([ephemeralPoint, wrapped]));
    },

    keyAgreementUnwrap(key, ephemeralPublicKey, kdfContext, wrapped, usage) {
      checkUsage("content", usage);
      const point = toAnyPoint(ephemeralPublicKey);
      const info = toBuffer(kdfContext, "KDF context");
      const wrappedBuffer = toSizedBuffer(wrapped, WRAPPED_SIZE, "wrapped key");
      const kek = deriveKek(agree(useKey(key, "private", USAGE_DERIVE).agreement, point), info);
      try {
        return makeContentKey(unwrapKey(kek, wrappedBuffer), usage);
      } finally {
        kek.fill(0);
      }
    },
  };
}

type Contents = Pick<
  NodeCrypto,
  "aeadEncrypt" | "aeadDecrypt" | "aeadEncryptKey" | "aeadDecryptKey"
>;

function contents(): Contents {
  return {
    aeadEncrypt(key, nonce, aad, plaintext) {
      const input = toBuffer(plaintext, "plaintext");
      return seal(key, USAGE_ENCRYPT, nonce, aad, input);
    },

    aeadDecrypt(key, nonce, aad, ciphertext) {
      return fromBuffer(open(key, nonce, aad, ciphertext));
    },

    aeadEncryptKey(key, nonce, aad, prefix, carried) {
      const prefixBuffer = toBuffer(prefix, "prefix");
      if (key === carried) fail("key", "carried key, expected another than the wrapping, got it");
      const secret = useKey(carried, "content", USAGE_CARRIED).secret.export();
      const input = Buffer.concat([prefixBuffer, secret]);
      secret.fill(0);
      try {
        return seal(key, USAGE_WRAP, nonce, aad, input);
      } finally {
        input.fill(0);
      }
    },

    aeadDecryptKey(key, nonce, aad, ciphertext, prefixLength, usage) {
      checkUsage("content", usage);
      if (!Number.isInteger(prefixLength) || prefixLength < 0)
        fail("argument", `prefix length, expected an integer from 0, got ${prefixLength}`);
      const plaintext = open(key, nonce, aad, ciphertext);
      try {
        return splitKey(plaintext, prefixLength, usage);
      } finally {
        plaintext.fill(0);
      }
    },
  };
}

function seal(key: KeyHandle, usage: number, nonce: Bytes, aad: Bytes, input: Buffer): Bytes {
  const nonceBuffer = toSizedBuffer(nonce, NONCE_SIZE, "nonce");
  const aadBuffer = toBuffer(aad, "AAD");
  const { secret } = useKey(key, "content", usage);
  return fromBuffer(gcmSeal("aes-128-gcm", secret, nonceBuffer, aadBuffer, input));
}

function open(key: KeyHandle, nonce: Bytes, aad: Bytes, ciphertext: Bytes): Buffer {
  const nonceBuffer = toSizedBuffer(nonce, NONCE_SIZE, "nonce");
  const aadBuffer = toBuffer(aad, "AAD");
  const input = toBuffer(ciphertext, "ciphertext");
  const { secret } = useKey(key, "content", USAGE_DECRYPT);
  if (input.length < TAG_SIZE)
    fail("decrypt", `ciphertext, expected at least ${TAG_SIZE} bytes, got ${input.length}`);
  return gcmOpen("aes-128-gcm", secret, nonceBuffer, aadBuffer, input);
}

function splitKey(plaintext: Buffer, prefixLength: number, usage: number) {
  if (plaintext.length !== prefixLength + KEY_SIZE)
    fail("form", `key, expected ${prefixLength} + ${KEY_SIZE} bytes, got ${plaintext.length}`);
  const prefix = fromBuffer(plaintext.subarray(0, prefixLength));
  return { prefix, key: makeContentKey(plaintext.subarray(prefixLength), usage) };
}

/** RFC 9053 section 6.4.1: the key encryption key of A128KW, from a shared secret that is wiped. */
function deriveKek(shared: Buffer, info: Buffer): Buffer {
  const kek = hkdf(shared, info);
  shared.fill(0);
  return kek;
}

/** An ephemeral point as it travels: 65 bytes, or 33 with the sign of y in the first. */
function toAnyPoint(point: Bytes): Buffer {
  const buffer = toBuffer(point, "public key");
  if (buffer.length !== COMPRESSED_POINT_SIZE) return toPoint(point);
  if (buffer[0] !== 2 && buffer[0] !== 3)
    fail("argument", `public key, expected a compressed point (2 or 3), got form ${buffer[0]}`);
  return buffer;
}
