/**
 * The event message, Sign1(Encrypt([device counter, SenML pack])): rare and important,
 * so it is signed by the device itself and needs no session. SPEC.md shows every byte.
 */
import type { Bytes } from "./bytes.ts";
import { cborInt } from "./cbor.ts";
import { createReader } from "./cbor-reader.ts";
import { createContentParts } from "./content-parts.ts";
import type { CoseCrypto, KeyHandle } from "./cose/crypto.ts";
import type { Recipient } from "./cose/encrypt.ts";
import type { Sign1, Signed } from "./cose/sign1.ts";
import { kidOf } from "./kid.ts";
import { parseSenml, type SenmlRecord } from "./senml.ts";
import { createUpwardOpener, makeUpward } from "./upward.ts";

/**
 * Makes events. The counter is one that nextDeviceCounter has just given: it names this
 * message for ever, so the bytes are kept and sent again, never made again.
 */
export function createEventMaker(crypto: CoseCrypto) {
  return function makeEvent(
    device: { key: KeyHandle; thumbprint: Bytes },
    recipients: Recipient[],
    counter: number,
    pack: Bytes,
  ): Signed {
    const content = ("\x82" + cborInt(counter) + pack) as Bytes;
    return makeUpward(crypto, "event", device, kidOf(device.thumbprint), recipients, content);
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
  const upward = createUpwardOpener(crypto, "event");
  const parts = createContentParts();

  /**
   * Verifies first: nothing of the payload is looked at before the signature is the
   * device's. "kid" when the message names another device, or no recipient is `self`.
   */
  return function openEvent(
    sign1: Sign1,
    device: { publicKey: Bytes; thumbprint: Bytes },
    self: { key: KeyHandle; thumbprint: Bytes },
  ): OpenedEvent {
    const reader = createReader(upward.open(sign1, device, self));
    reader.exactly("\x82", "content of the event");
    const counter = parts.readDeviceCounter(reader);
    const pack = reader.rest();
    return { counter: counter, pack: pack, records: parseSenml(pack) };
  };
}
