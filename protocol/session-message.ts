/**
 * The session message, Sign1(Encrypt(COSE_Key)): a device's fresh session key,
 * sealed to the cloud and signed by the device. SPEC.md shows every byte.
 */
import { type Bytes, fromBigEndian, toBigEndian } from "./bytes.ts";
import { cborBytes } from "./cbor.ts";
import { createReader } from "./cbor-reader.ts";
import {
  type CoseCrypto,
  type KeyHandle,
  type SessionCrypto,
  USAGE_CARRIED,
  USAGE_DECRYPT,
  USAGE_DERIVE,
  USAGE_ENCRYPT_SEQUENCE,
} from "./cose/crypto.ts";
import {
  createEncryptMaker,
  createEncryptOpener,
  type Encrypt,
  type Envelope,
  type Recipient,
} from "./cose/encrypt.ts";
import { createHeaders, NONCE_LENGTH, TAG_LENGTH } from "./cose/encrypt0.ts";
import { createSign1Maker, type Sign1, verifySign1 } from "./cose/sign1.ts";
import { createStructures } from "./cose/structures.ts";
import { fail } from "./errors.ts";
import { kidOf } from "./kid.ts";

/** Bytes of the COSE_Key beside its kid and the 16 of k at its end. */
const SYMMETRIC_KEY_LENGTH = 11 + NONCE_LENGTH;

/** A session as the device holds it. */
export interface DeviceSession {
  key: KeyHandle;
  /** The device counter as shortest big-endian bytes. */
  kid: Bytes;
  /** The signed message, to be sent byte for byte until it is receipted. */
  message: Bytes;
  /** SHA-256 of its Sig_structure: what the receipt names. */
  hash: Bytes;
}

/**
 * Makes a session: fresh key and Base IV, message sealed and signed. The counter is one that
 * the device's module has just given: it is the session's key id.
 */
export function createSessionMaker(crypto: SessionCrypto) {
  const makeEncrypt = createEncryptMaker(crypto);
  const makeSign1 = createSign1Maker(crypto);
  const structures = createStructures();
  const headers = createHeaders();

  /** COSE_Key {1: 4, 2: kid, 3: 1, 5: Base IV, -1: k}, all but the 16 bytes of k at its end. */
  function symmetricKeyPrefix(kid: Bytes, baseIv: Bytes): Bytes {
    return ("\xa5\x01\x04\x02" +
      cborBytes(kid) +
      "\x03\x01\x05" +
      cborBytes(baseIv) +
      "\x20\x50") as Bytes;
  }

  return function makeSession(
    device: { key: KeyHandle; thumbprint: Bytes },
    recipients: Recipient[],
    counter: number,
  ): DeviceSession {
    const kid = toBigEndian(counter);
    const key = crypto.generateKey(USAGE_ENCRYPT_SEQUENCE | USAGE_DERIVE | USAGE_CARRIED);
    try {
      const envelope: Envelope = {
        messageClass: "session",
        deviceThumbprint: device.thumbprint,
        senderThumbprint: device.thumbprint,
      };
      const prefix = symmetricKeyPrefix(kid, crypto.exportBaseIv(key));
      const sealed = makeEncrypt(headers.content(kid), envelope, recipients, prefix, key);
      const aad = structures.externalAad("session", device.thumbprint);
      const signed = makeSign1(device.key, kidOf(device.thumbprint), aad, sealed);
      return { key: key, kid: kid, message: signed.message, hash: signed.hash };
    } catch (error) {
      crypto.destroyKey(key);
      throw error;
    }
  };
}

/** A session as the cloud opens it. */
export interface OpenedSession {
  key: KeyHandle;
  kid: Bytes;
  /** The device counter that the kid stands for. */
  counter: number;
  baseIv: Bytes;
}

/**
 * Opens session messages, the carried key or the `implied` variant (an empty
 * content whose content key is the session key and whose IV is the Base IV).
 */
export function createSessionOpener(crypto: CoseCrypto) {
  const encrypt = createEncryptOpener(crypto);
  const structures = createStructures();
  const headers = createHeaders();
  const SESSION_USAGE = USAGE_DECRYPT | USAGE_DERIVE | USAGE_CARRIED;

  function openCarried(opened: Encrypt, kid: Bytes, aad: Bytes, cek: KeyHandle): OpenedSession {
    const structure = structures.encStructure("Encrypt", opened.protectedHeader, aad);
    const plain = crypto.aeadDecryptKey(
      cek,
      opened.iv,
      structure,
      opened.ciphertext,
      SYMMETRIC_KEY_LENGTH + kid.length,
      SESSION_USAGE,
    );
    try {
      const reader = createReader(plain.prefix);
      reader.exactly("\xa5\x01\x04\x02", "COSE_Key of the session");
      if (reader.bytes() !== kid)
        fail("kid", "COSE_Key of the session, expected the key id of its Encrypt, got another");
      reader.exactly("\x03\x01\x05", "COSE_Key of the session");
      const baseIv = reader.bytesOf(NONCE_LENGTH);
      reader.exactly("\x20\x50", "COSE_Key of the session");
      reader.end();
      return {
        key: plain.key,
        kid: kid,
        counter: fromBigEndian(kid),
        baseIv: baseIv,
      };
    } catch (error) {
      crypto.destroyKey(plain.key);
      throw error;
    }
  }

  function openImplied(opened: Encrypt, kid: Bytes, aad: Bytes, cek: KeyHandle): OpenedSession {
    const structure = structures.encStructure("Encrypt", opened.protectedHeader, aad);
    crypto.aeadDecrypt(cek, opened.iv, structure, opened.ciphertext);
    return { key: cek, kid: kid, counter: fromBigEndian(kid), baseIv: opened.iv };
  }

  /**
   * Verifies first: nothing of the payload is looked at before the signature is the
   * device's. "kid" when the message names another device, or no recipient is `self`.
   */
  return function openSession(
    sign1: Sign1,
    device: { publicKey: Bytes; thumbprint: Bytes },
    self: { key: KeyHandle; thumbprint: Bytes },
  ): OpenedSession {
    if (sign1.kid !== kidOf(device.thumbprint))
      fail("kid", "session message, expected the key id of its device, got another");
    const aad = structures.externalAad("session", device.thumbprint);
    verifySign1(crypto, sign1, device.publicKey, aad);
    const parsed = encrypt.parse(sign1.payload);
    const kid = headers.readContent(parsed.protectedHeader);
    const envelope: Envelope = {
      messageClass: "session",
      deviceThumbprint: device.thumbprint,
      senderThumbprint: device.thumbprint,
    };
    const implied = parsed.ciphertext.length === TAG_LENGTH;
    const cek = encrypt.unwrap(parsed, envelope, self, implied ? SESSION_USAGE : USAGE_DECRYPT);
    let kept = false;
    try {
      const session = implied
        ? openImplied(parsed, kid, aad, cek)
        : openCarried(parsed, kid, aad, cek);
      kept = implied;
      return session;
    } finally {
      if (!kept) crypto.destroyKey(cek);
    }
  };
}
