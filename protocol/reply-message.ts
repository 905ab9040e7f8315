/**
 * The reply to a command, Sign1(Encrypt([device counter, command hash, status, detail]
 * and padding)). SPEC.md shows every byte.
 */
import type { Bytes } from "./bytes.ts";
import { cborBytes, cborInt, UNSIGNED } from "./cbor.ts";
import { createReader, type Reader } from "./cbor-reader.ts";
import { FORM_PLAIN } from "./command-content.ts";
import { createContentParts, LAST_SECOND } from "./content-parts.ts";
import type { CoseCrypto, KeyHandle } from "./cose/crypto.ts";
import type { Recipient } from "./cose/encrypt.ts";
import type { Sign1, Signed } from "./cose/sign1.ts";
import { CSR_LENGTH } from "./enrol-message.ts";
import { fail } from "./errors.ts";
import { kidOf } from "./kid.ts";
import { createUpwardOpener, makeUpward } from "./upward.ts";

/** The command is carried out. Detail 0. */
export const STATUS_DONE = 1;
/** It cannot be. Detail: REASON_*. */
export const STATUS_REFUSED = 2;
/** Its counter is not above the last. Detail: the last counter. */
export const STATUS_STALE = 3;
/** Detail: the device's time floor, Unix seconds. */
export const STATUS_EXPIRED = 4;
/** It came in a form that the device does not take. Detail: the form that it takes (FORM_*). */
export const STATUS_POLICY = 5;
/** A new key is made. Detail: its CSR. */
export const STATUS_ROLLED = 6;
/** Everything is erased. Detail 0. */
export const STATUS_DELETED = 7;

/** The device id, or the user id, is not the device's. */
export const REASON_DEVICE = 1;
export const REASON_USER = 2;
/** The board cannot work with a value of the update. */
export const REASON_SETTINGS = 3;
/** A certificate of the update breaks a rule. */
export const REASON_CERTIFICATE = 4;
/** The device's store failed. */
export const REASON_STORE = 5;
/** Not now: something is unreceipted, or an earlier command is at work. */
export const REASON_BUSY = 6;

/** Bytes of a command's hash. */
const HASH_LENGTH = 32;

export interface Reply {
  /** SHA-256 that names the command: nothing else connects the two. */
  command: Bytes;
  /** STATUS_* */
  status: number;
  /** The CSR with STATUS_ROLLED, a number with every other. */
  detail: number | Bytes;
}

/** Makes replies, the device's part. The counter is one that nextDeviceCounter has just given. */
export function createReplyMaker(crypto: CoseCrypto) {
  const parts = createContentParts();

  return function makeReply(
    device: { key: KeyHandle; thumbprint: Bytes },
    recipients: Recipient[],
    counter: number,
    reply: Reply,
  ): Signed {
    const detail = reply.detail;
    const content = parts.pad(
      "\x84" +
        cborInt(counter) +
        cborBytes(reply.command) +
        cborInt(reply.status) +
        (typeof detail === "number" ? cborInt(detail) : cborBytes(detail)),
    );
    const kid = kidOf(device.thumbprint);
    return makeUpward(crypto, "reply", device, kid, recipients, content);
  };
}

export interface OpenedReply extends Reply {
  counter: number;
}

/** The cloud's part. */
export function createReplyOpener(crypto: CoseCrypto) {
  const upward = createUpwardOpener(crypto, "reply");
  const parts = createContentParts();

  /** What the number of a status may be at most, from STATUS_DONE on. */
  const MOST = [0, REASON_BUSY, 9007199254740991, LAST_SECOND, FORM_PLAIN, 0, 0];

  function readDetail(reader: Reader, status: number): number | Bytes {
    if (status === STATUS_ROLLED) {
      const csr = reader.bytes();
      if (csr.length < 1 || csr.length > CSR_LENGTH)
        fail("size", "CSR, expected 1 to " + CSR_LENGTH + " bytes, got " + csr.length);
      return csr;
    }
    const detail = reader.head(UNSIGNED);
    const least = status === STATUS_REFUSED || status === STATUS_POLICY ? 1 : 0;
    const most = MOST[status - STATUS_DONE] as number;
    if (detail < least || detail > most)
      fail("form", "detail of a reply, expected " + least + " to " + most + ", got " + detail);
    return detail;
  }

  /** Verifies first: nothing of the payload is looked at before the signature is the device's. */
  return function openReply(
    sign1: Sign1,
    device: { publicKey: Bytes; thumbprint: Bytes },
    self: { key: KeyHandle; thumbprint: Bytes },
  ): OpenedReply {
    const content = upward.open(sign1, device, self);
    const reader = createReader(content);
    reader.exactly("\x84", "content of a reply");
    const counter = parts.readDeviceCounter(reader);
    const command = reader.bytesOf(HASH_LENGTH);
    const status = reader.head(UNSIGNED);
    if (status < STATUS_DONE || status > STATUS_DELETED)
      fail("form", "status of a reply, expected 1 to 7, got " + status);
    const detail = readDetail(reader, status);
    parts.readPadding(reader, content);
    return { counter: counter, command: command, status: status, detail: detail };
  };
}
