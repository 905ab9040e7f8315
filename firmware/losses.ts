/**
 * What the device could not keep, counted since its key was made. The counts outlive a restart in a
 * record:
 *
 *   0  1  version
 *   1  4  readings lost
 *   5  4  of these, those that a receipted reading told of
 *   9  4  events lost
 *
 * It is written when a count has changed, at most once an hour, before deep sleep and before a
 * restart that is meant. A power cut costs what an hour added, and nothing is ever counted twice.
 */
import { type Bytes, fromBigEndian, toBigEndian } from "../protocol/bytes.ts";
import type { DeviceRecords } from "../protocol/cose/crypto.ts";
import type { Log } from "./ports.ts";
import { readVersioned, writeVersioned } from "./versioned-record.ts";

/** Between two writes while counts change all the time: 24 records a day, where a boot writes two. */
export const KEEP_SECONDS = 3600;

const RECORD = "losses";
const VERSION = 1;
const COUNT_LENGTH = 4;
const LENGTH = 3 * COUNT_LENGTH;

/** None of the counts ever falls. */
export interface Losses {
  /** Readings that a full queue did not take, or gave up. */
  readings: number;
  /** Of these, those that the cloud knows of. */
  told: number;
  /** Events that gave way to later ones. */
  events: number;
  /** The sum of the three that is in the record. */
  kept: number;
}

/** The counts that the record has; a damaged one counts as none. */
export function openLosses(records: Pick<DeviceRecords, "readRecord">, log: Log): Losses {
  const content = readVersioned(records, RECORD, VERSION, log);
  function count(at: number): number {
    if (content === undefined || content.length !== LENGTH) return 0;
    return fromBigEndian(content.substring(at, at + COUNT_LENGTH) as Bytes);
  }
  const losses = { readings: count(0), told: count(4), events: count(8), kept: 0 };
  losses.kept = losses.readings + losses.told + losses.events;
  return losses;
}

function encode(count: number): string {
  const digits = toBigEndian(count);
  return "\0\0\0".substring(digits.length - 1) + digits;
}

/** Writes what has changed. A store that fails is logged, and tried again when it is time. */
export function keepLosses(
  ports: { crypto: Pick<DeviceRecords, "writeRecord">; log: Log },
  losses: Losses,
): void {
  const sum = losses.readings + losses.told + losses.events;
  if (sum === losses.kept) return;
  const content = encode(losses.readings) + encode(losses.told) + encode(losses.events);
  try {
    writeVersioned(ports.crypto, RECORD, VERSION, content);
    losses.kept = sum;
  } catch (error) {
    ports.log("losses not kept: " + (error as Error).message);
  }
}
