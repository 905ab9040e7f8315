/**
 * The record "ask": the names under which a request has made the device enrol again, until
 * that enrolment has come to its end.
 */
import { type Bytes, chars } from "../../protocol/bytes.ts";
import { cborBytes } from "../../protocol/cbor.ts";
import { createReader } from "../../protocol/cbor-reader.ts";
import type { DeviceRecords } from "../../protocol/cose/crypto.ts";
import type { Enrolment } from "../config.ts";
import type { Log } from "../ports.ts";
import { readVersioned, writeVersioned } from "../versioned-record.ts";

const RECORD = "ask";
const VERSION = 1;

/** undefined where nothing is asked; a damaged one is given up, and the command is to be sent again. */
export function readAsked(
  store: Pick<DeviceRecords, "readRecord">,
  log: Log,
): Enrolment | undefined {
  const content = readVersioned(store, RECORD, VERSION, log);
  if (content === undefined) return undefined;
  try {
    const reader = createReader(content);
    reader.exactly(chars(0x83), "record " + RECORD);
    const deviceId = reader.bytes();
    const userId = reader.bytes();
    const claim = reader.bytes();
    reader.end();
    return { deviceId: deviceId, userId: userId, claim: claim === "" ? undefined : claim };
  } catch (error) {
    log("record " + RECORD + " not used: " + (error as Error).message);
    return undefined;
  }
}

export function writeAsked(store: Pick<DeviceRecords, "writeRecord">, asked: Enrolment): void {
  const claim = asked.claim === undefined ? ("" as Bytes) : asked.claim;
  const content = [asked.deviceId, asked.userId, claim].map(cborBytes).join("");
  writeVersioned(store, RECORD, VERSION, chars(0x83) + content);
}

export function eraseAsked(store: Pick<DeviceRecords, "eraseRecord">): void {
  store.eraseRecord(RECORD);
}
