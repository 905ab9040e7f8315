/**
 * What outlasts deep sleep beside a key in the C module: a record, written before each sleep.
 *
 *   0  1  version
 *   1  1  1: the cloud knows the session
 *   2  4  Unix time of its opening, or of a later wake where no receipt had told it; 0: not known
 *   6  4  Unix time when the sleep ends: what was known before it, and its length; 0: not known
 *  10  4  Unix time of the last health record, 0 before the first
 *  14  4  Unix time of the last event that a sensor fails, or works again; 0 before the first
 *  18  2  sensors that fail, as the cloud was told: the first is bit 0
 *  20 12  Base IV of the key that was kept, by which the two are known to belong together
 *  32  .  its session's kid; both are missing where none was kept
 *
 * Flash wear: a record takes some 5 of the 126 entries in a page of NVS. A wake each minute fills
 * 57 pages a day; the partition's 15 take turns, good for 100,000 erasures each: 72 years.
 */
import { type Bytes, chars, fromBigEndian } from "../protocol/bytes.ts";
import type { DeviceCrypto, KeyHandle } from "../protocol/cose/crypto.ts";
import { STABLE_SECONDS } from "./boot-guard.ts";
import { ACKNOWLEDGED } from "./outgoing.ts";
import type { Log } from "./ports.ts";
import { FAILURE_SECONDS } from "./sampler.ts";
import {
  type Identity,
  isSpent,
  MAX_SESSIONS,
  openSession,
  REKEY_SECONDS,
  type Session,
} from "./session.ts";
import type { SleepNote } from "./session-list.ts";

const RECORD = "sleep";
const VERSION = 2;
const NAME_AT = 20;
/** The C module's word for a wake from deep sleep. */
const RESET_DEEPSLEEP = 8;

/**
 * One that the cloud never receipts is kept for so many readings, and no longer: another may be
 * taken. Four such sessions are what a device has room for, and 2,560 readings fill its ring.
 */
const UNHEARD_READINGS = 640;

/** The record, or nothing where there is none that can be read. */
function readNote(crypto: DeviceCrypto): Bytes {
  try {
    const note = crypto.readRecord(RECORD);
    if (note !== undefined && note.charCodeAt(0) === VERSION) return note;
  } catch {
    // A damaged one is as none.
  }
  return "" as Bytes;
}

function number(note: Bytes, at: number): number {
  return fromBigEndian(note.substring(at, at + 4) as Bytes);
}

function fourBytes(value: number): string {
  return chars(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

/**
 * After a wake: gives the newest session the key that was kept, and tells what else was noted
 * before the sleep. Whatever was kept is taken out of the module, so that no later reset finds it.
 */
export function resumeKept(
  crypto: DeviceCrypto,
  identity: Identity,
  newest: Session | undefined,
): SleepNote {
  const told: SleepNote = {
    isResumed: false,
    isWake: false,
    wakeAt: 0,
    healthAt: 0,
    failureAt: 0,
    failing: 0,
    tellFrom: STABLE_SECONDS,
  };
  let key: KeyHandle | undefined;
  let isWake = false;
  try {
    key = crypto.resumeSession();
    isWake = key !== undefined || crypto.resetReason() === RESET_DEEPSLEEP;
  } catch {
    // This module knows no deep sleep.
  }
  if (!isWake) return told;
  const note = readNote(crypto);
  const name = note.substring(NAME_AT);
  const kid = newest ? newest.kid : "";
  if (note === "" || name !== (key === undefined ? "" : crypto.exportBaseIv(key) + kid)) {
    // Not of this sleep.
    if (key !== undefined) crypto.destroyKey(key);
    return told;
  }
  told.isWake = true;
  told.wakeAt = number(note, 6);
  told.healthAt = number(note, 10);
  told.failureAt = number(note, 14);
  told.failing = fromBigEndian(note.substring(18, NAME_AT) as Bytes);
  told.tellFrom = told.wakeAt - told.failureAt >= FAILURE_SECONDS ? 0 : Infinity;
  if (key === undefined || !newest) return told;
  const kept = { key: key, kid: newest.kid, message: newest.message, hash: newest.hash };
  newest.keys = openSession(crypto, identity, [], newest.record, 0, kept).keys;
  told.isResumed = true;
  if (note.charCodeAt(1) === 1) {
    newest.receipted = true;
    newest.state = ACKNOWLEDGED;
    newest.phase = 0;
  }
  return told;
}

/**
 * Right before a sleep of `seconds`: writes the record, and keeps the newest session, unless the
 * next wake should open another. When that fails it does so too. `time` is the Unix time, where a
 * receipt has told it, of this wake or an earlier one; `sessions` says how many wait.
 */
export function keepNewest(
  ports: { crypto: DeviceCrypto; log: Log },
  told: SleepNote,
  session: Session,
  uptime: number,
  time: number | undefined,
  seconds: number,
  rekey: number | undefined,
  sessions: number,
): void {
  const crypto = ports.crypto;
  const rekeySeconds = rekey || REKEY_SECONDS;
  let name = "";
  let opened = 0;
  try {
    if (
      session.keys &&
      !isSpent(session, uptime, rekeySeconds, sessions) &&
      (session.receipted || session.lastSequence < UNHEARD_READINGS)
    ) {
      const before = readNote(crypto);
      name = crypto.exportBaseIv(session.keys.key) + session.kid;
      if (before.substring(NAME_AT) === name) opened = number(before, 2);
      if (session.receipted && time !== undefined) {
        if (opened === 0) opened = Math.floor(time - uptime + session.openedAt);
        if (sessions < MAX_SESSIONS - 1 && time - opened >= rekeySeconds) name = "";
      }
    }
    crypto.writeRecord(
      RECORD,
      (chars(VERSION, session.receipted ? 1 : 0) +
        fourBytes(opened) +
        fourBytes(time === undefined ? 0 : time + seconds) +
        fourBytes(told.healthAt) +
        fourBytes(told.failureAt) +
        chars(told.failing >>> 8, told.failing & 255) +
        name) as Bytes,
    );
    if (session.keys && name !== "") crypto.keepSession(session.keys.key);
  } catch (error) {
    ports.log("session not kept over sleep: " + (error as Error).message);
  }
}
