/**
 * COSE_Encrypt from the cloud to one device: as in encrypt.ts, but for one recipient
 * alone, and with the whole y of the ephemeral key, so that the device need not take a
 * square root.
 */
import { type Bytes, chars } from "../bytes.ts";
import { cborBytes } from "../cbor.ts";
import { createReader } from "../cbor-reader.ts";
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
import { createHeaders, NONCE_LENGTH } from "./encrypt0.ts";
import { createStructures } from "./structures.ts";

/** Encrypts `plaintext` for the device under a content key used once. */
export function makeDownwardEncrypt(
  crypto: CoseCrypto,
  envelope: Envelope,
  device: Recipient,
  plaintext: Bytes,
): Bytes {
  const structures = createStructures();
  const aad = structures.externalAad(envelope.messageClass, envelope.deviceThumbprint);
  const context = structures.kdfContext(
    envelope.messageClass,
    envelope.senderThumbprint,
    device.thumbprint,
  );
  const iv = crypto.generateRandom(NONCE_LENGTH);
  const cek = crypto.generateKey(USAGE_CARRIED | USAGE_ENCRYPT);
  try {
    const structure = structures.encStructure("Encrypt", CONTENT_HEADER, aad);
    const ciphertext = crypto.aeadEncrypt(cek, iv, structure, plaintext);
    const wrapped = crypto.keyAgreementWrap(device.publicKey, context, cek);
    return ("\xd8\x60\x84" +
      cborBytes(CONTENT_HEADER) +
      createHeaders().iv(iv) +
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
  const reader = createReader(message);
  reader.exactly("\xd8\x60\x84", "COSE_Encrypt");
  const protectedHeader = reader.bytes();
  const iv = createHeaders().readIv(reader);
  const ciphertext = reader.bytes();
  reader.exactly("\x81" + RECIPIENT_START, "COSE_recipient");
  const kid = reader.bytesOf(KID_LENGTH);
  reader.exactly(EPHEMERAL_START, "ephemeral key");
  const x = reader.bytesOf(32);
  reader.exactly(EPHEMERAL_Y, "ephemeral key");
  const y = reader.bytesOf(32);
  const wrapped = reader.bytesOf(WRAPPED_LENGTH);
  reader.end();
  checkContentHeader(protectedHeader);
  if (kid !== kidOf(device.thumbprint))
    fail("kid", "recipient, expected the key id of this device, got another");
  const structures = createStructures();
  const point = (chars(4) + x + y) as Bytes;
  const context = structures.kdfContext(
    envelope.messageClass,
    envelope.senderThumbprint,
    device.thumbprint,
  );
  const cek = crypto.keyAgreementUnwrap(device.key, point, context, wrapped, USAGE_DECRYPT);
  try {
    const aad = structures.externalAad(envelope.messageClass, envelope.deviceThumbprint);
    const structure = structures.encStructure("Encrypt", protectedHeader, aad);
    return crypto.aeadDecrypt(cek, iv, structure, ciphertext);
  } finally {
    crypto.destroyKey(cek);
  }
}
