/**
 * What the cloud signs for one device: Sign1 by a registrar or provisioner whose
 * certificate may ride along, and inside it mostly an Encrypt. The common part of
 * `enrolled` and `command`.
 */
import type { Bytes } from "./bytes.ts";
import { cborBytes } from "./cbor.ts";
import { createReader } from "./cbor-reader.ts";
import type { CoseCrypto, KeyHandle } from "./cose/crypto.ts";
import type { Envelope, Recipient } from "./cose/encrypt.ts";
import { makeDownwardEncrypt, openDownwardEncrypt } from "./cose/encrypt-downward.ts";
import {
  createSign1Maker,
  parseSign1,
  type Sign1,
  type Signed,
  verifySign1,
} from "./cose/sign1.ts";
import { createStructures } from "./cose/structures.ts";
import { fail } from "./errors.ts";
import { kidOf, thumbprintOf } from "./kid.ts";
import { DOWNWARD_LIMIT, type MessageClass } from "./topics.ts";

/** Where the unprotected header of Sign1 stands: after tag, array and a protected header of 13 bytes. */
const UNPROTECTED_AT = 16;

/** {33: bstr}: x5chain of one certificate (RFC 9360 section 2). */
const LEAF_START = "\xa1\x18\x21";

/** Who signs downward: the registrar, or the provisioner. */
export interface Signer {
  key: KeyHandle;
  thumbprint: Bytes;
}

/** Signs a payload for the device, and puts the signer's certificate beside it where there is one. */
export function signDownward(
  crypto: CoseCrypto,
  messageClass: MessageClass,
  signer: Signer,
  deviceThumbprint: Bytes,
  payload: Bytes,
  leaf: Bytes | undefined,
): Signed {
  const aad = createStructures().externalAad(messageClass, deviceThumbprint);
  const signed = createSign1Maker(crypto)(signer.key, kidOf(signer.thumbprint), aad, payload);
  let message: string = signed.message;
  if (leaf !== undefined)
    message =
      message.substring(0, UNPROTECTED_AT) +
      LEAF_START +
      cborBytes(leaf) +
      message.substring(UNPROTECTED_AT + 1);
  if (message.length > DOWNWARD_LIMIT)
    fail("size", messageClass + ", expected at most " + DOWNWARD_LIMIT + ", got " + message.length);
  return { message: message as Bytes, hash: signed.hash };
}

/** Seals the content to the device, then signs as above. */
export function sealDownward(
  crypto: CoseCrypto,
  messageClass: MessageClass,
  signer: Signer,
  device: Recipient,
  content: Bytes,
  leaf: Bytes | undefined,
): Signed {
  const envelope: Envelope = {
    messageClass: messageClass,
    deviceThumbprint: device.thumbprint,
    senderThumbprint: signer.thumbprint,
  };
  const sealed = makeDownwardEncrypt(crypto, envelope, device, content);
  return signDownward(crypto, messageClass, signer, device.thumbprint, sealed, leaf);
}

/** A Sign1 to a device taken apart, nothing verified yet. */
export interface DownwardSign1 extends Sign1 {
  /** The certificate that rode along. Nothing vouches for it until it is checked against the anchor. */
  leaf: Bytes | undefined;
}

/** The device's side; a factory, for what is used a few times in a device's life. */
export function createDownwardOpener(crypto: CoseCrypto, messageClass: MessageClass) {
  /** "size" beyond the limit, before anything is looked at. */
  function parse(message: Bytes): DownwardSign1 {
    if (message.length > DOWNWARD_LIMIT)
      fail(
        "size",
        messageClass + ", expected at most " + DOWNWARD_LIMIT + ", got " + message.length,
      );
    let bare = message;
    let leaf: Bytes | undefined;
    if (message.substr(UNPROTECTED_AT, LEAF_START.length) === LEAF_START) {
      const leafAt = UNPROTECTED_AT + LEAF_START.length;
      leaf = createReader(message.substring(leafAt) as Bytes).bytes();
      bare = (message.substring(0, UNPROTECTED_AT) +
        "\xa0" +
        message.substring(leafAt + cborBytes(leaf).length)) as Bytes;
    }
    const sign1 = parseSign1(bare);
    return {
      protectedHeader: sign1.protectedHeader,
      kid: sign1.kid,
      payload: sign1.payload,
      signature: sign1.signature,
      leaf: leaf,
    };
  }

  /** The signer's thumbprint, once the signature is its own over this message, class and device. */
  function verify(sign1: Sign1, deviceThumbprint: Bytes, signerPublicKey: Bytes): Bytes {
    const signer = thumbprintOf(crypto, signerPublicKey);
    if (sign1.kid !== kidOf(signer))
      fail("kid", messageClass + ", expected the key id of its signer, got another");
    const aad = createStructures().externalAad(messageClass, deviceThumbprint);
    verifySign1(crypto, sign1, signerPublicKey, aad);
    return signer;
  }

  /** The content of a verified payload. */
  function decrypt(
    payload: Bytes,
    device: { key: KeyHandle; thumbprint: Bytes },
    signerThumbprint: Bytes,
  ): Bytes {
    const envelope: Envelope = {
      messageClass: messageClass,
      deviceThumbprint: device.thumbprint,
      senderThumbprint: signerThumbprint,
    };
    return openDownwardEncrypt(crypto, payload, envelope, device);
  }

  return { parse: parse, verify: verify, decrypt: decrypt };
}
