/**
 * Notices a device that resets again and again, and stops it before it has spent its
 * counter, its flash and its signatures: the fifth boot in a row that follows four
 * which did not last a minute is one in safe mode.
 *
 * Flash wear: a boot that lasts writes the record twice, at its start and after a
 * minute; a record takes 4 entries of the 126 in a page of NVS. At worst, a reset
 * every 61 s, that is 2,830 writes or 90 pages a day. The partition has 15 pages to
 * take turns, good for 100,000 erasures each: 46 years. Boots in safe mode that do not
 * last write nothing.
 */
import { type Bytes, chars } from "../protocol/bytes.ts";
import type { DeviceRecords } from "../protocol/cose/crypto.ts";
import type { Log } from "./ports.ts";

/** A boot has lasted after this long: network, session and first readings are behind it. */
export const STABLE_SECONDS = 60;
/** A person with a plug makes three short boots in a row, or four; nobody makes five. */
export const SAFE_BOOTS = 5;
/** What the count is put to when safe mode has lasted: the next boot tries, and one after it may fail. */
const TRIAL_BOOTS = SAFE_BOOTS - 2;
/** Safe mode's pause: ten minutes let a person in and cost a day's readings little. */
const FIRST_PAUSE_SECONDS = 600;
/** Longest pause, reached at MAX_LEVEL doublings: a board on a wall tries once a day. */
const LONGEST_PAUSE_SECONDS = 86400;
const MAX_LEVEL = 8;

/** Why a boot came. Espruino tells power-on, reset pin, watchdog and crash not apart. */
export const RESET_UNKNOWN = 0;
export const RESET_WAKE = 1;
export const RESET_CONSOLE = 2;
export const RESET_PAUSE = 3;
export const RESET_SAFE = 4;

/** The record: version, boots in a row, doublings of the pause, reason of a restart that is meant. */
const BOOT_RECORD = "boot";
const VERSION = 1;
const RECORD_LENGTH = 4;

export interface BootGuard {
  /** Boots in a row that did not last, with this one. */
  boots: number;
  /** Why this boot came: RESET_*. */
  reason: number;
  /** How long safe mode lasts before the next try. */
  pauseSeconds: number;
  /** The boot has lasted a minute, or ends in deep sleep. */
  lasted(): void;
  /**
   * Safe mode has lasted a minute, so that whatever reset comes next is a try.
   * `grow`: the pause doubles until a boot has lasted in normal running.
   */
  safeLasted(grow: boolean): void;
  /** Right before a restart that is meant, RESET_CONSOLE to RESET_SAFE: it is no failure. */
  restarting(reason: number): void;
}

type Records = Pick<DeviceRecords, "readRecord" | "writeRecord">;

/**
 * Counts this boot, unless it is a wake from deep sleep: that ends the row, since the
 * boot before it has ended as it should. A store that fails is logged and no more.
 */
export function createBootGuard(records: Records, isWake: boolean, log: Log): BootGuard {
  let stored = chars(VERSION, 0, 0, 0);
  // What is missing, damaged or of another version counts as none.
  try {
    const record = records.readRecord(BOOT_RECORD);
    if (
      record !== undefined &&
      record.length === RECORD_LENGTH &&
      record.charCodeAt(0) === VERSION &&
      record.charCodeAt(1) <= SAFE_BOOTS &&
      record.charCodeAt(2) <= MAX_LEVEL &&
      record.charCodeAt(3) <= RESET_SAFE
    )
      stored = record;
  } catch (error) {
    log("boot record not read: " + (error as Error).message);
  }
  const level = stored.charCodeAt(2);
  const boots = isWake ? 0 : Math.min(stored.charCodeAt(1) + 1, SAFE_BOOTS);
  const reason = isWake ? RESET_WAKE : stored.charCodeAt(3);
  /** The count that a restart which is meant leaves behind. */
  let rest = Math.max(0, Math.min(boots - 1, TRIAL_BOOTS));

  /** Writes what differs from what is stored. */
  function save(count: number, doublings: number, why: number): void {
    const record = chars(VERSION, count, doublings, why);
    if (record === stored) return;
    stored = record;
    try {
      records.writeRecord(BOOT_RECORD, record as Bytes);
    } catch (error) {
      log("boot record not written: " + (error as Error).message);
    }
  }

  save(boots, isWake ? 0 : level, RESET_UNKNOWN);

  return {
    boots: boots,
    reason: reason,
    pauseSeconds: Math.min(FIRST_PAUSE_SECONDS * Math.pow(2, level), LONGEST_PAUSE_SECONDS),
    lasted() {
      rest = 0;
      save(0, 0, RESET_UNKNOWN);
    },
    safeLasted(grow) {
      rest = Math.min(boots, TRIAL_BOOTS);
      save(rest, grow ? Math.min(level + 1, MAX_LEVEL) : level, RESET_UNKNOWN);
    },
    restarting(why) {
      save(why === RESET_SAFE ? SAFE_BOOTS - 1 : rest, stored.charCodeAt(2), why);
    },
  };
}
