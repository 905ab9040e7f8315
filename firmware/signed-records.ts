/**
 * Signed messages outlive a power cut: ECDSA is randomised, so making one again would
 * be a second message under one counter. Each has a record in the C module's store
 * from before its first send until nothing needs it, with what MQTT knows of it.
 *
 *   0  1  version
 *   1  2  MQTT packet id
 *   3  1  state of firmware/mqtt/inflight.ts, 0 before the first send
 *   4  1  length of the counter
 *   5  .  counter, hash (16), message
 */
import { type Bytes, chars, fromBigEndian } from "../protocol/bytes.ts";
import type { DeviceRecords } from "../protocol/cose/crypto.ts";
import { MESSAGE_HASH_LENGTH } from "../protocol/cose/sign1.ts";
import { FIRST_KEPT_ID } from "./mqtt/session-state.ts";
import { IN_FLIGHT, type Outgoing, WAITING } from "./outgoing.ts";
import type { Log } from "./ports.ts";

const VERSION = 1;
const HEAD = 5;

export type SignedClass = "session" | "event" | "reply" | "enrol";

/** A message with one counter value; its bytes are sent until a receipt lists its hash. */
export interface Signed extends Outgoing {
  messageClass: SignedClass;
  /** Id of its record; "" once that is erased. */
  record: string;
  /** The device counter as shortest big-endian bytes: a session's kid. */
  kid: Bytes;
  /** What the receipt calls the message. */
  hash: Bytes;
  /** The cloud has said that it is stored. */
  receipted: boolean;
  packetId: number;
  phase: number;
}

export function writeSigned(store: DeviceRecords, item: Signed): void {
  const head = chars(VERSION, item.packetId >> 8, item.packetId & 255, item.phase, item.kid.length);
  store.writeRecord(item.record, (head + item.kid + item.hash + item.message) as Bytes);
}

/** One that cannot be erased is sent again after a restart, and the cloud drops the repeat. */
export function eraseSigned(store: DeviceRecords, item: Signed, log: Log): void {
  const record = item.record;
  item.record = "";
  try {
    store.eraseRecord(record);
  } catch (error) {
    log("record " + record + ": " + (error as Error).message);
  }
}

/** The first id from `prefix`0 on that none of these has. */
export function freeRecord(prefix: string, used: Signed[]): string {
  let number = 0;
  while (used.some((item) => item.record === prefix + number)) number++;
  return prefix + number;
}

/** By the counter: no other message of this device has it until 32,767 more are signed. */
export function keptPacketId(counter: number): number {
  return FIRST_KEPT_ID + (counter % FIRST_KEPT_ID);
}

/** A message as it is when just made. */
export function makeSigned(
  messageClass: SignedClass,
  record: string,
  kid: Bytes,
  hash: Bytes,
  message: Bytes,
): Signed {
  return {
    messageClass: messageClass,
    record: record,
    kid: kid,
    hash: hash.substring(0, MESSAGE_HASH_LENGTH) as Bytes,
    message: message,
    qos: 2,
    state: WAITING,
    takenAt: 0,
    receipted: false,
    packetId: keptPacketId(fromBigEndian(kid)),
    phase: 0,
  };
}

/** What was kept before this boot, in the order of counters. What cannot be read is erased: it is lost. */
export function readSigned(
  store: DeviceRecords,
  prefix: string,
  messageClass: SignedClass,
  count: number,
): Signed[] {
  const found: Signed[] = [];

  function decode(record: string, text: Bytes): Signed {
    const hashAt = HEAD + text.charCodeAt(4);
    const messageAt = hashAt + MESSAGE_HASH_LENGTH;
    const part = (from: number, to: number) => text.substring(from, to) as Bytes;
    const item = makeSigned(
      messageClass,
      record,
      part(HEAD, hashAt),
      part(hashAt, messageAt),
      part(messageAt, text.length),
    );
    item.phase = text.charCodeAt(3);
    // What MQTT had is handed back to it, under the id it had; the rest has yet to go.
    if (item.phase !== 0) {
      item.packetId = fromBigEndian(part(1, 3));
      item.state = IN_FLIGHT;
    }
    return item;
  }

  for (let i = 0; i < count; i++) {
    let text: Bytes | undefined;
    try {
      text = store.readRecord(prefix + i);
    } catch {
      text = "" as Bytes;
    }
    if (text === undefined) continue;
    if (text.length > HEAD && text.charCodeAt(0) === VERSION) found.push(decode(prefix + i, text));
    else store.eraseRecord(prefix + i);
  }
  return found.sort((a, b) => fromBigEndian(a.kid) - fromBigEndian(b.kid));
}
