/**
 * COSE_Encrypt (RFC 9052 section 5.1): A128GCM content under a fresh content key
 * (CEK), the CEK wrapped for each recipient by ECDH-ES + A128KW (RFC 9053 section
 * 6.4.1): 96([<<{1: 1}>>, {5: IV}, ciphertext, [recipient, ...]]). Where the content is a
 * key, its kid stands in the protected header too: {1: 1, 4: kid}.
 *
 * Upward the ephemeral y is its sign bit, which saves 33 bytes; the cloud
 * decompresses.
 */
import type { Bytes } from "../bytes.ts";
import { ARRAY, cborBytes, cborHead } from "../cbor.ts";
import { createReader, type Reader, readBoolean } from "../cbor-reader.ts";
import { fail } from "../errors.ts";
import { KID_LENGTH, kidOf } from "../kid.ts";
import type { MessageClass } from "../topics.ts";
import {
  type CoseCrypto,
  type KeyHandle,
  USAGE_CARRIED,
  USAGE_ENCRYPT,
  USAGE_WRAP,
} from "./crypto.ts";
import { createHeaders, NONCE_LENGTH } from "./encrypt0.ts";
import { createStructures } from "./structures.ts";

/** More recipients than this are refused: each is one ECDH to make and 86 bytes to carry. */
export const MAX_RECIPIENTS = 4;

/** Bytes of an AES-128 key wrapped by A128KW (RFC 3394). */
export const WRAPPED_LENGTH = 24;

/**
 * Of each recipient: what stands before its key id (its protected header is the one of
 * structures.ts), before x, and before the sign of y.
 */
export const RECIPIENT_START = "\x83\x44\xa1\x01\x38\x1c\xa2\x04";
export const EPHEMERAL_START = "\x20\xa4\x01\x02\x20\x01\x21";
export const EPHEMERAL_Y = "\x22";

/** Who a message is from and for: the device it belongs to, its class, and what the KDF binds. */
export interface Envelope {
  messageClass: MessageClass;
  /** The device whose topic carries the message, in either direction. */
  deviceThumbprint: Bytes;
  senderThumbprint: Bytes;
}

export interface Recipient {
  /** Uncompressed P-256 point, 65 bytes. */
  publicKey: Bytes;
  thumbprint: Bytes;
}

/** Makes an Encrypt of one content after the other; what is dropped with it leaves nothing. */
export function createEncryptMaker(crypto: CoseCrypto) {
  const structures = createStructures();
  const headers = createHeaders();

  function wrapFor(envelope: Envelope, recipient: Recipient, cek: KeyHandle): string {
    const context = structures.kdfContext(
      envelope.messageClass,
      envelope.senderThumbprint,
      recipient.thumbprint,
    );
    const wrapped = crypto.keyAgreementWrap(recipient.publicKey, context, cek);
    return (
      RECIPIENT_START +
      cborBytes(kidOf(recipient.thumbprint)) +
      EPHEMERAL_START +
      cborBytes(wrapped.substring(1, 33) as Bytes) +
      EPHEMERAL_Y +
      (wrapped.charCodeAt(64) & 1 ? "\xf5" : "\xf4") +
      cborBytes(wrapped.substring(65) as Bytes)
    );
  }

  /**
   * Encrypts `plaintext` under a content key used once. With a carried key its 16 bytes
   * end the content: they are put there inside the module.
   */
  return function makeEncrypt(
    header: Bytes,
    envelope: Envelope,
    recipients: Recipient[],
    plaintext: Bytes,
    carried: KeyHandle | undefined,
  ): Bytes {
    if (recipients.length < 1 || recipients.length > MAX_RECIPIENTS)
      fail("size", "recipients, expected 1 to " + MAX_RECIPIENTS + ", got " + recipients.length);
    const aad = structures.externalAad(envelope.messageClass, envelope.deviceThumbprint);
    const iv = crypto.generateRandom(NONCE_LENGTH);
    const cek = crypto.generateKey(
      USAGE_CARRIED | (carried === undefined ? USAGE_ENCRYPT : USAGE_WRAP),
    );
    try {
      const structure = structures.encStructure("Encrypt", header, aad);
      const ciphertext =
        carried === undefined
          ? crypto.aeadEncrypt(cek, iv, structure, plaintext)
          : crypto.aeadEncryptKey(cek, iv, structure, plaintext, carried);
      let wraps = "";
      for (let i = 0; i < recipients.length; i++)
        wraps += wrapFor(envelope, recipients[i] as Recipient, cek);
      return ("\xd8\x60\x84" +
        cborBytes(header) +
        headers.iv(iv) +
        cborBytes(ciphertext) +
        cborHead(ARRAY, recipients.length) +
        wraps) as Bytes;
    } finally {
      crypto.destroyKey(cek);
    }
  };
}

interface WrappedKey {
  kid: Bytes;
  /** Compressed point: 0x02 or 0x03, then x. */
  ephemeralPublicKey: Bytes;
  wrapped: Bytes;
}

/** A COSE_Encrypt taken apart, nothing opened yet; its header is for the message's class to read. */
export interface Encrypt {
  protectedHeader: Bytes;
  iv: Bytes;
  ciphertext: Bytes;
  recipients: WrappedKey[];
}

export function createEncryptOpener(crypto: CoseCrypto) {
  const structures = createStructures();
  const headers = createHeaders();

  function readRecipient(reader: Reader): WrappedKey {
    reader.exactly(RECIPIENT_START, "COSE_recipient");
    const kid = reader.bytesOf(KID_LENGTH);
    reader.exactly(EPHEMERAL_START, "ephemeral key");
    const x = reader.bytesOf(32);
    reader.exactly(EPHEMERAL_Y, "ephemeral key");
    const odd = readBoolean(reader);
    const wrapped = reader.bytesOf(WRAPPED_LENGTH);
    return {
      kid: kid,
      ephemeralPublicKey: ((odd ? "\x03" : "\x02") + x) as Bytes,
      wrapped: wrapped,
    };
  }

  function parse(message: Bytes): Encrypt {
    const reader = createReader(message);
    reader.exactly("\xd8\x60\x84", "COSE_Encrypt");
    const protectedHeader = reader.bytes();
    const iv = headers.readIv(reader);
    const ciphertext = reader.bytes();
    const count = reader.head(ARRAY);
    if (count < 1 || count > MAX_RECIPIENTS)
      fail("size", "recipients, expected 1 to " + MAX_RECIPIENTS + ", got " + count);
    const recipients: WrappedKey[] = [];
    for (let i = 0; i < count; i++) recipients.push(readRecipient(reader));
    reader.end();
    return {
      protectedHeader: protectedHeader,
      iv: iv,
      ciphertext: ciphertext,
      recipients: recipients,
    };
  }

  /** The content key, by the recipient entry that names `self`; "kid" when none does. */
  function unwrap(
    encrypt: Encrypt,
    envelope: Envelope,
    self: { key: KeyHandle; thumbprint: Bytes },
    usage: number,
  ): KeyHandle {
    const kid = kidOf(self.thumbprint);
    const context = structures.kdfContext(
      envelope.messageClass,
      envelope.senderThumbprint,
      self.thumbprint,
    );
    for (let i = 0; i < encrypt.recipients.length; i++) {
      const entry = encrypt.recipients[i] as WrappedKey;
      if (entry.kid === kid)
        return crypto.keyAgreementUnwrap(
          self.key,
          entry.ephemeralPublicKey,
          context,
          entry.wrapped,
          usage,
        );
    }
    return fail("kid", "recipients, expected one with the key id of this receiver, got none");
  }

  return { parse: parse, unwrap: unwrap };
}
