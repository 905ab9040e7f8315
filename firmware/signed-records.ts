/**
 * Signed messages outlive a power cut: ECDSA is randomised, so making one again would
 * be a second message under one counter. Each has a record in the C module's store
 * from before its first send until nothing needs it, with what MQTT knows of it.
 *
 *   0  1  version
 *   1  1  1 when a receipt has listed it, else 0
 *   2  2  MQTT packet id, 0 before the first send
 *   4  1  state of firmware/mqtt/inflight.ts, 0 before the first send
 *   5  1  length of the counter
 *   6  1  length of the Base IV: 12 for a session, 0 for an event
 *   7  .  counter, hash (16), Base IV, message
 */
import { type Bytes, chars, fromBigEndian } from "../protocol/bytes.ts";
import type { DeviceRecords } from "../protocol/cose/crypto.ts";
import { MESSAGE_HASH_LENGTH } from "../protocol/cose/sign1.ts";
import { ACKNOWLEDGED, IN_FLIGHT, type Outgoing, WAITING } from "./outgoing.ts";
import type { Log } from "./ports.ts";

const VERSION = 1;
const HEAD = 7;

/** A message with one counter value; its bytes are sent until a receipt lists its hash. */
export interface Signed extends Outgoing {
  messageClass: "session" | "event";
  /** Id of its record. */
  record: string;
  /** The device counter as shortest big-endian bytes: a session's kid. */
  kid: Bytes;
  /** What the receipt calls the message. */
  hash: Bytes;
  /** Of a session, else empty: tells its key after deep sleep. */
  baseIv: Bytes;
  /** The cloud has said that it is stored. */
  receipted: boolean;
  packetId: number;
  phase: number;
}

export function writeSigned(store: DeviceRecords, item: Signed): void {
  const head = chars(
    VERSION,
    item.receipted ? 1 : 0,
    item.packetId >> 8,
    item.packetId & 255,
    item.phase,
    item.kid.length,
    item.baseIv.length,
  );
  store.writeRecord(
    item.record,
    (head + item.kid + item.hash + item.baseIv + item.message) as Bytes,
  );
}

/** One that cannot be erased is sent again after a restart, and the cloud drops the repeat. */
export function eraseSigned(store: DeviceRecords, item: Signed, log: Log): void {
  try {
    store.eraseRecord(item.record);
  } catch (error) {
    log("record " + item.record + ": " + (error as Error).message);
  }
}

/** The first id from `prefix`0 on that none of these has. */
export function freeRecord(prefix: string, used: Signed[]): string {
  let number = 0;
  while (used.some((item) => item.record === prefix + number)) number++;
  return prefix + number;
}

function decode(record: string, messageClass: "session" | "event", text: Bytes): Signed {
  const ivAt = HEAD + text.charCodeAt(5) + MESSAGE_HASH_LENGTH;
  const messageAt = ivAt + text.charCodeAt(6);
  const phase = text.charCodeAt(4);
  const receipted = text.charCodeAt(1) === 1;
  const part = (from: number, to: number) => text.substring(from, to) as Bytes;
  return {
    messageClass: messageClass,
    record: record,
    kid: part(HEAD, HEAD + text.charCodeAt(5)),
    hash: part(ivAt - MESSAGE_HASH_LENGTH, ivAt),
    baseIv: part(ivAt, messageAt),
    message: part(messageAt, text.length),
    qos: 2,
    // What MQTT had is handed back to it; the rest has yet to go.
    state: receipted ? ACKNOWLEDGED : phase === 0 ? WAITING : IN_FLIGHT,
    takenAt: 0,
    receipted: receipted,
    packetId: fromBigEndian(part(2, 4)),
    phase: phase,
  };
}

/** What was kept before this boot, in the order of counters. What cannot be read is erased: it is lost. */
export function readSigned(
  store: DeviceRecords,
  prefix: string,
  messageClass: "session" | "event",
  count: number,
): Signed[] {
  const found: Signed[] = [];
  for (let i = 0; i < count; i++) {
    let text: Bytes | undefined;
    try {
      text = store.readRecord(prefix + i);
    } catch {
      text = "" as Bytes;
    }
    if (text === undefined) continue;
    if (text.length > HEAD && text.charCodeAt(0) === VERSION)
      found.push(decode(prefix + i, messageClass, text));
    else store.eraseRecord(prefix + i);
  }
  return found.sort((a, b) => fromBigEndian(a.kid) - fromBigEndian(b.kid));
}
