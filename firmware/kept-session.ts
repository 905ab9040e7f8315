/**
 * A session over deep sleep. The C module keeps its key and counts on; what else the next wake
 * has to know of it is a record, written only when it changes:
 *
 *   0  1  version
 *   1  1  1: the cloud knows the session
 *   2  4  Unix time of its opening, or of a later wake where no receipt had told it; 0: not known
 *   6 12  Base IV of the key, by which the two are known to belong together
 *  18  .  the session's kid
 */
import { type Bytes, chars, fromBigEndian } from "../protocol/bytes.ts";
import type { DeviceCrypto, KeyHandle } from "../protocol/cose/crypto.ts";
import { ACKNOWLEDGED } from "./outgoing.ts";
import type { Log } from "./ports.ts";
import {
  type Identity,
  isSpent,
  MAX_SESSIONS,
  openSession,
  REKEY_SECONDS,
  type Session,
} from "./session.ts";

const RECORD = "sleep";
const VERSION = 1;
const BASE_IV_AT = 6;

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

/**
 * After a wake: gives the newest session the key that was kept, and says so. Whatever was kept
 * is taken out of the module, so that no later reset finds it.
 */
export function resumeKept(
  crypto: DeviceCrypto,
  identity: Identity,
  newest: Session | undefined,
): boolean {
  let key: KeyHandle | undefined;
  try {
    key = crypto.resumeSession();
  } catch {
    // This module knows no deep sleep.
  }
  if (key === undefined) return false;
  const note = readNote(crypto);
  if (!newest || note.substring(BASE_IV_AT) !== crypto.exportBaseIv(key) + newest.kid) {
    crypto.destroyKey(key);
    return false;
  }
  const kept = { key: key, kid: newest.kid, message: newest.message, hash: newest.hash };
  newest.keys = openSession(crypto, identity, [], newest.record, 0, kept).keys;
  if (note.charCodeAt(1) === 1) {
    newest.receipted = true;
    newest.state = ACKNOWLEDGED;
    newest.phase = 0;
  }
  return true;
}

/**
 * Right before sleep: keeps the newest session, unless the next wake should open another. When
 * that fails it does so too. `time` is the Unix time, where a receipt of this wake has told it;
 * `sessions` says how many wait.
 */
export function keepNewest(
  ports: { crypto: DeviceCrypto; log: Log },
  session: Session,
  uptime: number,
  time: number | undefined,
  rekey: number | undefined,
  sessions: number,
): void {
  const crypto = ports.crypto;
  const rekeySeconds = rekey || REKEY_SECONDS;
  if (!session.keys || isSpent(session, uptime, rekeySeconds, sessions)) return;
  if (!session.receipted && session.lastSequence >= UNHEARD_READINGS) return;
  try {
    const before = readNote(crypto);
    const name = crypto.exportBaseIv(session.keys.key) + session.kid;
    let opened = 0;
    if (before.substring(BASE_IV_AT) === name)
      opened = fromBigEndian(before.substring(2, BASE_IV_AT) as Bytes);
    if (session.receipted && time !== undefined) {
      if (opened === 0) opened = Math.floor(time - uptime + session.openedAt);
      if (sessions < MAX_SESSIONS - 1 && time - opened >= rekeySeconds) return;
    }
    const note = (chars(
      VERSION,
      session.receipted ? 1 : 0,
      opened >>> 24,
      (opened >>> 16) & 255,
      (opened >>> 8) & 255,
      opened & 255,
    ) + name) as Bytes;
    if (note !== before) crypto.writeRecord(RECORD, note);
    crypto.keepSession(session.keys.key);
  } catch (error) {
    ports.log("session not kept over sleep: " + (error as Error).message);
  }
}
