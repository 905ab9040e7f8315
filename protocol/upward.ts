/**
 * Sign1(Encrypt(content)) from a device to the cloud, whatever its class and content:
 * what `enrol`, `event` and `reply` have in common.
 */
import type { Bytes } from "./bytes.ts";
import { CONTENT_HEADER, checkContentHeader } from "./cose/content-header.ts";
import { type CoseCrypto, type KeyHandle, USAGE_DECRYPT } from "./cose/crypto.ts";
import {
  createEncryptMaker,
  createEncryptOpener,
  type Envelope,
  type Recipient,
} from "./cose/encrypt.ts";
import { createSign1Maker, type Sign1, type Signed, verifySign1 } from "./cose/sign1.ts";
import { createStructures } from "./cose/structures.ts";
import { fail } from "./errors.ts";
import { kidOf } from "./kid.ts";
import type { MessageClass } from "./topics.ts";

/** Seals the content to the recipients, then signs. `kid` is what the signature names its key by. */
export function makeUpward(
  crypto: CoseCrypto,
  messageClass: MessageClass,
  device: { key: KeyHandle; thumbprint: Bytes },
  kid: Bytes,
  recipients: Recipient[],
  content: Bytes,
): Signed {
  const envelope: Envelope = {
    messageClass: messageClass,
    deviceThumbprint: device.thumbprint,
    senderThumbprint: device.thumbprint,
  };
  const makeEncrypt = createEncryptMaker(crypto);
  const sealed = makeEncrypt(CONTENT_HEADER, envelope, recipients, content, undefined);
  const aad = createStructures().externalAad(messageClass, device.thumbprint);
  return createSign1Maker(crypto)(device.key, kid, aad, sealed);
}

export function createUpwardOpener(crypto: CoseCrypto, messageClass: MessageClass) {
  const encrypt = createEncryptOpener(crypto);
  const structures = createStructures();

  /** The content of a Sign1's payload, for the recipient `self`; says nothing of who made it. */
  function decrypt(
    payload: Bytes,
    deviceThumbprint: Bytes,
    self: { key: KeyHandle; thumbprint: Bytes },
  ): Bytes {
    const parsed = encrypt.parse(payload);
    checkContentHeader(parsed.protectedHeader);
    const envelope: Envelope = {
      messageClass: messageClass,
      deviceThumbprint: deviceThumbprint,
      senderThumbprint: deviceThumbprint,
    };
    const cek = encrypt.unwrap(parsed, envelope, self, USAGE_DECRYPT);
    try {
      const aad = structures.externalAad(messageClass, deviceThumbprint);
      const structure = structures.encStructure("Encrypt", parsed.protectedHeader, aad);
      return crypto.aeadDecrypt(cek, parsed.iv, structure, parsed.ciphertext);
    } finally {
      crypto.destroyKey(cek);
    }
  }

  /** "signature" unless it is the device's over this message and class. */
  function verify(sign1: Sign1, device: { publicKey: Bytes; thumbprint: Bytes }): void {
    const aad = structures.externalAad(messageClass, device.thumbprint);
    verifySign1(crypto, sign1, device.publicKey, aad);
  }

  /** The content, once the signature is the known device's; nothing is looked at before. */
  function open(
    sign1: Sign1,
    device: { publicKey: Bytes; thumbprint: Bytes },
    self: { key: KeyHandle; thumbprint: Bytes },
  ): Bytes {
    if (sign1.kid !== kidOf(device.thumbprint))
      fail("kid", messageClass + ", expected the key id of its device, got another");
    verify(sign1, device);
    return decrypt(sign1.payload, device.thumbprint, self);
  }

  return { decrypt: decrypt, verify: verify, open: open };
}
