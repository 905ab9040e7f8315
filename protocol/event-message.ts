/**
 * The event message, Sign1(Encrypt([device counter, SenML pack])): rare and important,
 * so it is signed by the device itself and needs no session. SPEC.md shows every byte.
 */
import type { Bytes } from "./bytes.ts";
import { cborInt, UNSIGNED } from "./cbor.ts";
import { createReader } from "./cbor-reader.ts";
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
import { parseSenml, type SenmlRecord } from "./senml.ts";

/** Protected header of the content: {1: 1}. It is not a key, so it has no kid. */
const CONTENT_HEADER = "\xa1\x01\x01" as Bytes;

/** Highest value of the device counter: it fits into 4 bytes. */
const LAST_COUNTER = 4294967295;

/**
 * Makes events. The counter is one that nextDeviceCounter has just given: it names this
 * message for ever, so the bytes are kept and sent again, never made again.
 */
export function createEventMaker(crypto: CoseCrypto) {
  const makeEncrypt = createEncryptMaker(crypto);
  const makeSign1 = createSign1Maker(crypto);
  const structures = createStructures();

  return function makeEvent(
    device: { key: KeyHandle; thumbprint: Bytes },
    recipients: Recipient[],
    counter: number,
    pack: Bytes,
  ): Signed {
    const envelope: Envelope = {
      messageClass: "event",
      deviceThumbprint: device.thumbprint,
      senderThumbprint: device.thumbprint,
    };
    const content = ("\x82" + cborInt(counter) + pack) as Bytes;
    const sealed = makeEncrypt(CONTENT_HEADER, envelope, recipients, content, undefined);
    const aad = structures.externalAad("event", device.thumbprint);
    return makeSign1(device.key, kidOf(device.thumbprint), aad, sealed);
  };
}

/** An event as the cloud opens it. */
export interface OpenedEvent {
  counter: number;
  /** The SenML pack as it came, and read. */
  pack: Bytes;
  records: SenmlRecord[];
}

export function createEventOpener(crypto: CoseCrypto) {
  const encrypt = createEncryptOpener(crypto);
  const structures = createStructures();

  function readContent(content: Bytes): OpenedEvent {
    const reader = createReader(content);
    reader.exactly("\x82", "content of the event");
    const counter = reader.head(UNSIGNED);
    if (counter < 1 || counter > LAST_COUNTER)
      fail("sequence", "device counter, expected 1 to " + LAST_COUNTER + ", got " + counter);
    // After the array's head and the counter, whose form was the shortest.
    const pack = content.substring(1 + cborInt(counter).length) as Bytes;
    return { counter: counter, pack: pack, records: parseSenml(pack) };
  }

  /**
   * Verifies first: nothing of the payload is looked at before the signature is the
   * device's. "kid" when the message names another device, or no recipient is `self`.
   */
  return function openEvent(
    sign1: Sign1,
    device: { publicKey: Bytes; thumbprint: Bytes },
    self: { key: KeyHandle; thumbprint: Bytes },
  ): OpenedEvent {
    if (sign1.kid !== kidOf(device.thumbprint))
      fail("kid", "event message, expected the key id of its device, got another");
    const aad = structures.externalAad("event", device.thumbprint);
    verifySign1(crypto, sign1, device.publicKey, aad);
    const parsed = encrypt.parse(sign1.payload);
    const header = createReader(parsed.protectedHeader);
    header.exactly(CONTENT_HEADER, "protected header of the content");
    header.end();
    const envelope: Envelope = {
      messageClass: "event",
      deviceThumbprint: device.thumbprint,
      senderThumbprint: device.thumbprint,
    };
    const cek = encrypt.unwrap(parsed, envelope, self, USAGE_DECRYPT);
    try {
      const structure = structures.encStructure("Encrypt", parsed.protectedHeader, aad);
      return readContent(crypto.aeadDecrypt(cek, parsed.iv, structure, parsed.ciphertext));
    } finally {
      crypto.destroyKey(cek);
    }
  };
}
