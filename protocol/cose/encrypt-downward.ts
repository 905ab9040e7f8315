/**
 * COSE_Encrypt from the cloud to one device: as in encrypt.ts, but for one recipient
 * alone, and with the whole y of the ephemeral key, so that the device need not take a
 * square root.
 */
import { type Bytes, chars } from "../bytes.ts";
import { type Cursor, cborBytes, readBytes, readBytesOf, readEnd, readExactly } from "../cbor.ts";
import { fail } from "../errors.ts";
import { KID_LENGTH, kidOf } from "../kid.ts";
import { CONTENT_HEADER, checkContentHeader } from "./content-header.ts";
import {
  type CoseCrypto,
  type KeyHandle,
  USAGE_CARRIED,
  USAGE_DECRYPT,
  USAGE_ENCRYPT,
} from "./crypto.ts";
import {
  type Envelope,
  EPHEMERAL_START,
  EPHEMERAL_Y,
  RECIPIENT_START,
  type Recipient,
  WRAPPED_LENGTH,
} from "./encrypt.ts";
import { ivHeader, NONCE_LENGTH, readIvHeader } from "./encrypt0.ts";
import { encStructure, externalAad, kdfContext } from "./structures.ts";

/** Encrypts `plaintext` for the device under a content key used once. */
export function makeDownwardEncrypt(
  crypto: CoseCrypto,
  envelope: Envelope,
  device: Recipient,
  plaintext: Bytes,
): Bytes {
  const aad = externalAad(envelope.messageClass, envelope.deviceThumbprint);
  const context = kdfContext(envelope.messageClass, envelope.senderThumbprint, device.thumbprint);
  const iv = crypto.generateRandom(NONCE_LENGTH);
  const cek = crypto.generateKey(USAGE_CARRIED | USAGE_ENCRYPT);
  try {
    const structure = encStructure("Encrypt", CONTENT_HEADER, aad);
    const ciphertext = crypto.aeadEncrypt(cek, iv, structure, plaintext);
    const wrapped = crypto.keyAgreementWrap(device.publicKey, context, cek);
    return ("\xd8\x60\x84" +
      cborBytes(CONTENT_HEADER) +
      ivHeader(iv) +
      cborBytes(ciphertext) +
      "\x81" +
      RECIPIENT_START +
      cborBytes(kidOf(device.thumbprint)) +
      EPHEMERAL_START +
      cborBytes(wrapped.substring(1, 33) as Bytes) +
      EPHEMERAL_Y +
      cborBytes(wrapped.substring(33, 65) as Bytes) +
      cborBytes(wrapped.substring(65) as Bytes)) as Bytes;
  } finally {
    crypto.destroyKey(cek);
  }
}

/** The plaintext for the device; "kid" when its one recipient is another. */
export function openDownwardEncrypt(
  crypto: CoseCrypto,
  message: Bytes,
  envelope: Envelope,
  device: { key: KeyHandle; thumbprint: Bytes },
): Bytes {
  const cursor: Cursor = { bytes: message, at: 0 };
  readExactly(cursor, "\xd8\x60\x84", "COSE_Encrypt");
  const protectedHeader = readBytes(cursor);
  const iv = readIvHeader(cursor);
  const ciphertext = readBytes(cursor);
  readExactly(cursor, "\x81" + RECIPIENT_START, "COSE_recipient");
  const kid = readBytesOf(cursor, KID_LENGTH);
  readExactly(cursor, EPHEMERAL_START, "ephemeral key");
  const x = readBytesOf(cursor, 32);
  readExactly(cursor, EPHEMERAL_Y, "ephemeral key");
  const y = readBytesOf(cursor, 32);
  const wrapped = readBytesOf(cursor, WRAPPED_LENGTH);
  readEnd(cursor);
  checkContentHeader(protectedHeader);
  if (kid !== kidOf(device.thumbprint))
    fail("kid", "recipient, expected the key id of this device, got another");
  const point = (chars(4) + x + y) as Bytes;
  const context = kdfContext(envelope.messageClass, envelope.senderThumbprint, device.thumbprint);
  const cek = crypto.keyAgreementUnwrap(device.key, point, context, wrapped, USAGE_DECRYPT);
  try {
    const aad = externalAad(envelope.messageClass, envelope.deviceThumbprint);
    const structure = encStructure("Encrypt", protectedHeader, aad);
    return crypto.aeadDecrypt(cek, iv, structure, ciphertext);
  } finally {
    crypto.destroyKey(cek);
  }
}
