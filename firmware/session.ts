/**
 * The sessions of this boot. The newest seals readings; older ones are kept as
 * long as a queued reading was sealed under them, so that the cloud can be given
 * their message again. Keys live in the C module's memory alone: a reboot opens a
 * new session, and no (key, nonce) pair can repeat.
 */
import type { Bytes } from "../protocol/bytes.ts";
import { type DeviceCrypto, type KeyHandle, USAGE_DECRYPT } from "../protocol/cose/crypto.ts";
import type { Recipient } from "../protocol/cose/encrypt.ts";
import { MESSAGE_HASH_LENGTH } from "../protocol/cose/sign1.ts";
import { createReadingSealer } from "../protocol/reading.ts";
import { RECEIPT_KEY_INFO } from "../protocol/receipt.ts";
import { createSessionMaker } from "../protocol/session-message.ts";
import { type Outgoing, WAITING } from "./outbox.ts";

/** At most this many sessions wait at once; the oldest goes with its readings. */
export const MAX_SESSIONS = 4;

/** A session older than this is followed by a new one, once it has been receipted. */
const REKEY_SECONDS = 86400;

/** Readings under one key: the C module refuses the next one. */
const REKEY_READINGS = 1048576;

/** Its `message` is the exact bytes of the session message: signing again would make another. */
export interface Session extends Outgoing {
  kid: Bytes;
  key: KeyHandle;
  receiptKey: KeyHandle;
  /** What the receipt calls the message. */
  hash: Bytes;
  seal: (sequence: number, payload: Bytes) => Bytes;
  openedAt: number;
  lastSequence: number;
  /** The cloud has said that it is stored. */
  receipted: boolean;
  /** Uptime of the last receipt that settled the message or one of its readings. */
  settledAt: number;
}

export interface Identity {
  key: KeyHandle;
  thumbprint: Bytes;
}

/** Opens a session. The maker and everything it needs are dropped on return. */
export function openSession(
  crypto: DeviceCrypto,
  identity: Identity,
  recipients: Recipient[],
  uptime: number,
): Session {
  const made = createSessionMaker(crypto)(identity, recipients);
  let receiptKey: KeyHandle;
  try {
    receiptKey = crypto.deriveKey(made.key, RECEIPT_KEY_INFO, USAGE_DECRYPT);
  } catch (error) {
    crypto.destroyKey(made.key);
    throw error;
  }
  return {
    kid: made.kid,
    key: made.key,
    receiptKey: receiptKey,
    message: made.message,
    qos: 2,
    state: WAITING,
    hash: made.hash.substring(0, MESSAGE_HASH_LENGTH) as Bytes,
    seal: createReadingSealer(crypto, made, identity.thumbprint),
    openedAt: uptime,
    lastSequence: 0,
    takenAt: 0,
    receipted: false,
    settledAt: 0,
  };
}

/** True when the session has sealed enough, or is old and known to the cloud. */
export function isSpent(session: Session, uptime: number): boolean {
  return (
    session.lastSequence >= REKEY_READINGS ||
    (session.receipted && uptime - session.openedAt >= REKEY_SECONDS)
  );
}

/** Wipes what the session holds in the C module. */
export function closeSession(crypto: DeviceCrypto, session: Session): void {
  crypto.destroyKey(session.key);
  crypto.destroyKey(session.receiptKey);
}
