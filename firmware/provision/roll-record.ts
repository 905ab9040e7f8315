/**
 * The device has two places for a key of its own, and uses one of them. The record "roll" is
 * there only while the key changes: which place is in use, and how far the change has come.
 * Outside a roll one place is empty, and no record says which.
 *
 *   1, place in use (0 or 1), step, then CBOR: command counter, since (Unix seconds), request (16)
 */
import { type Bytes, chars } from "../../protocol/bytes.ts";
import { cborBytes, cborInt, UNSIGNED } from "../../protocol/cbor.ts";
import { createReader } from "../../protocol/cbor-reader.ts";
import type { DeviceCrypto, DeviceRecords } from "../../protocol/cose/crypto.ts";
import { MESSAGE_HASH_LENGTH } from "../../protocol/cose/sign1.ts";
import { fail } from "../../protocol/errors.ts";
import type { Log } from "../ports.ts";
import { readVersioned, writeVersioned } from "../versioned-record.ts";

const RECORD = "roll";
const VERSION = 1;

/** A new key that has no certificate this long after the command was issued is given up. */
const ROLL_SECONDS = 7 * 86400;

/** Ids of the two places; the first is openDeviceKey's. */
const KEY_IDS = ["device", "next"];

/** The new key is made; its certificate is still to come. */
export const ASKED = 1;
/** It has its certificate, and is taken into use when nothing of the old key waits any more. */
export const CERTIFIED = 2;
/** It is in use; the old one is there until the cloud has taken the new one's first session. */
export const CHANGED = 3;

export interface Roll {
  /** The place of the key that signs. */
  used: number;
  step: number;
  /** Counter of the command that asked for it. */
  counter: number;
  /** When that was issued. */
  since: number;
  /** What names the reply with the new key, as `enrolled` does; empty before it is made. */
  request: Bytes;
}

/** Id of the key in a place, and of the one in the other. */
export function keyIdOf(place: number): string {
  return KEY_IDS[place] as string;
}

export function otherIdOf(roll: Roll): string {
  return keyIdOf(1 - roll.used);
}

/** `floor`: no earlier than now is, Unix seconds. */
export function isExpired(roll: Roll, floor: number): boolean {
  return floor > roll.since + ROLL_SECONDS;
}

/** undefined where the key does not change; a damaged one counts as none. */
export function readRoll(store: Pick<DeviceRecords, "readRecord">, log: Log): Roll | undefined {
  const content = readVersioned(store, RECORD, VERSION, log);
  if (content === undefined) return undefined;
  const reader = createReader(content.substring(2) as Bytes);
  const counter = reader.head(UNSIGNED);
  const since = reader.head(UNSIGNED);
  return {
    used: content.charCodeAt(0),
    step: content.charCodeAt(1),
    counter: counter,
    since: since,
    request: reader.bytes(),
  };
}

export function writeRoll(store: Pick<DeviceRecords, "writeRecord">, roll: Roll): void {
  const content = cborInt(roll.counter) + cborInt(roll.since) + cborBytes(roll.request);
  writeVersioned(store, RECORD, VERSION, chars(roll.used, roll.step) + content);
}

/** What the answer to the new key will name. */
export function noteRequest(crypto: DeviceCrypto, log: Log, hash: Bytes): void {
  const roll = readRoll(crypto, log) as Roll;
  roll.request = hash.substring(0, MESSAGE_HASH_LENGTH) as Bytes;
  writeRoll(crypto, roll);
}

/**
 * Ends a roll with the key in use: the other is erased first, so that without the record there
 * is but one.
 */
export function endRoll(crypto: DeviceCrypto, roll: Roll): void {
  crypto.eraseKey(otherIdOf(roll));
  crypto.eraseRecord(RECORD);
}

/** Id of the key in use. Two keys without a word which of them: neither may be guessed. */
export function keyInUse(crypto: DeviceCrypto, log: Log): string {
  const roll = readVersioned(crypto, RECORD, VERSION, log);
  if (roll !== undefined) return keyIdOf(roll.charCodeAt(0));
  const hasOther = crypto.hasKey(keyIdOf(1));
  if (hasOther && crypto.hasKey(keyIdOf(0)))
    fail("store", "device key, expected one without a record " + RECORD + ", got two");
  return keyIdOf(hasOther ? 1 : 0);
}
