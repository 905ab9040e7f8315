/**
 * The device's sessions. The newest seals readings; older ones are kept as long as a
 * queued reading was sealed under them, so that the cloud can be given their message
 * again. Keys live in the C module's memory alone: after a reboot the sessions before
 * it have none, a new one is opened, and no (key, nonce) pair can repeat.
 */
import type { Bytes } from "../protocol/bytes.ts";
import { type DeviceCrypto, type KeyHandle, USAGE_DECRYPT } from "../protocol/cose/crypto.ts";
import type { Recipient } from "../protocol/cose/encrypt.ts";
import { createReadingSealer } from "../protocol/reading.ts";
import { RECEIPT_KEY_INFO } from "../protocol/receipt.ts";
import { createSessionMaker } from "../protocol/session-message.ts";
import { makeSigned, type Signed } from "./signed-records.ts";

/** At most this many sessions wait at once; the oldest goes with its readings. */
export const MAX_SESSIONS = 4;

/** A session older than this is followed by a new one, once it has been receipted. */
export const REKEY_SECONDS = 86400;

/** Readings under one key: the C module refuses the next one. */
const REKEY_READINGS = 1048576;

/** Its keys in the C module, and what seals one payload under a number just reserved. */
export interface SessionKeys {
  key: KeyHandle;
  receiptKey: KeyHandle;
  seal: (sequence: number, payload: Bytes) => Bytes;
}

/** Its `message` is the exact bytes of the session message. */
export interface Session extends Signed {
  /** Undefined for one of an earlier boot. */
  keys: SessionKeys | undefined;
  openedAt: number;
  lastSequence: number;
  /** Uptime of the last receipt that settled the message or one of its readings. */
  settledAt: number;
  /** Times that the broker took the message since its last receipt. */
  tries: number;
}

export interface Identity {
  key: KeyHandle;
  thumbprint: Bytes;
  /** The key's id in the C module's store, which counts what it signs. */
  id: string;
}

/** A kept session message as a session, without keys. */
export function restoreSession(kept: Signed): Session {
  const session = kept as Session;
  session.keys = undefined;
  session.openedAt = 0;
  session.lastSequence = 0;
  session.settledAt = 0;
  session.tries = 0;
  return session;
}

/** Opens a session. The maker and everything it needs are dropped on return. */
export function openSession(
  crypto: DeviceCrypto,
  identity: Identity,
  recipients: Recipient[],
  record: string,
  uptime: number,
): Session {
  const made = createSessionMaker(crypto)(identity, recipients, crypto.nextCounter(identity.id));
  let keys: SessionKeys;
  try {
    keys = {
      key: made.key,
      receiptKey: crypto.deriveKey(made.key, RECEIPT_KEY_INFO, USAGE_DECRYPT),
      seal: createReadingSealer(crypto, { key: made.key, kid: made.kid }, identity.thumbprint),
    };
  } catch (error) {
    crypto.destroyKey(made.key);
    throw error;
  }
  const session = restoreSession(makeSigned("session", record, made.kid, made.hash, made.message));
  session.keys = keys;
  session.openedAt = uptime;
  return session;
}

/**
 * True when the session, the newest of `kept`, has sealed enough, or is old and known to the
 * cloud. Age alone leaves a place for the session of the next boot: to open one more then
 * would cost the readings of the oldest.
 */
export function isSpent(
  session: Session,
  uptime: number,
  rekeySeconds: number,
  kept: number,
): boolean {
  return (
    session.lastSequence >= REKEY_READINGS ||
    (session.receipted && kept < MAX_SESSIONS - 1 && uptime - session.openedAt >= rekeySeconds)
  );
}

/** Wipes what the session holds in the C module. */
export function closeSession(crypto: DeviceCrypto, session: Session): void {
  if (!session.keys) return;
  crypto.destroyKey(session.keys.key);
  crypto.destroyKey(session.keys.receiptKey);
  session.keys = undefined;
}
