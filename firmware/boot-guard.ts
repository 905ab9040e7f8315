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
import type { DeviceRecords, DeviceSleep } from "../protocol/cose/crypto.ts";
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

/** Why a boot came: what the device has noted itself, or what the chip tells. */
export const RESET_UNKNOWN = 0;
export const RESET_WAKE = 1;
export const RESET_CONSOLE = 2;
export const RESET_PAUSE = 3;
export const RESET_SAFE = 4;
export const RESET_COMMAND = 5;
export const RESET_MEMORY = 6;
/** Added to the chip's number, ESP-IDF's esp_reset_reason_t, where that is not 0. */
const RESET_CHIP = 10;

/** The record: version, boots in a row, doublings of the pause, reason of a restart that is meant. */
const BOOT_RECORD = "boot";
const VERSION = 1;
const RECORD_LENGTH = 4;

/** Why this boot came; `noted` is what the guard's record says of it. */
export function resetReason(crypto: Pick<DeviceSleep, "resetReason">, noted: number): number {
  // A restart that is meant is one by the program for the chip, which knows no more of it.
  if (noted !== RESET_UNKNOWN) return noted;
  let told = 0;
  try {
    told = crypto.resetReason();
  } catch {
    // A store that does not open: what follows will say so.
  }
  return told && told + RESET_CHIP;
}

type Records = Pick<DeviceRecords, "readRecord" | "writeRecord">;

/**
 * The record as it is now, and what may be done to it: opened for each use and dropped
 * after it. A store that fails is logged and no more.
 */
export function openBootGuard(records: Records, log: Log) {
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
      record.charCodeAt(3) <= RESET_MEMORY
    )
      stored = record;
  } catch (error) {
    log("boot record not read: " + (error as Error).message);
  }
  const counted = stored.charCodeAt(1);
  const level = stored.charCodeAt(2);

  /** Writes what differs from what is stored. */
  function save(count: number, doublings: number, why: number): void {
    const record = chars(VERSION, count, doublings, why);
    if (record === stored) return;
    try {
      records.writeRecord(BOOT_RECORD, record as Bytes);
    } catch (error) {
      log("boot record not written: " + (error as Error).message);
    }
  }

  return {
    /** Why this boot came, RESET_*; told until the boot is counted. */
    reason: stored.charCodeAt(3),
    /** How long safe mode lasts before the next try. */
    pauseSeconds: Math.min(FIRST_PAUSE_SECONDS * Math.pow(2, level), LONGEST_PAUSE_SECONDS),

    /**
     * Counts this boot: how many in a row did not last, with it. A wake from deep sleep
     * ends the row, since the boot before it has ended as it should.
     */
    count(isWake: boolean): number {
      const boots = isWake ? 0 : Math.min(counted + 1, SAFE_BOOTS);
      save(boots, isWake ? 0 : level, RESET_UNKNOWN);
      return boots;
    },

    /** The boot has lasted a minute, or ends in deep sleep. */
    lasted(): void {
      save(0, 0, RESET_UNKNOWN);
    },

    /**
     * Safe mode has lasted a minute, so that whatever reset comes next is a try.
     * `grow`: the pause doubles until a boot has lasted in normal running. Once a boot.
     */
    safeLasted(grow: boolean): void {
      const doublings = grow ? Math.min(level + 1, MAX_LEVEL) : level;
      save(Math.min(counted, TRIAL_BOOTS), doublings, RESET_UNKNOWN);
    },

    /**
     * Right before a restart that is meant, RESET_CONSOLE to RESET_MEMORY, of the boot that
     * was counted as `boots`: it is no failure, unless memory ran out. Then that boot counts as one
     * that did not last, however long it did.
     */
    restarting(boots: number, why: number): void {
      if (why === RESET_MEMORY) {
        save(boots, level, why);
        return;
      }
      const before = counted === boots ? boots - 1 : counted;
      const rest = Math.max(0, Math.min(before, TRIAL_BOOTS));
      save(why === RESET_SAFE ? SAFE_BOOTS - 1 : rest, level, why);
    },
  };
}
export type BootGuard = ReturnType<typeof openBootGuard>;
