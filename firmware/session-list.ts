/**
 * The sessions whose message is kept: the newest, and older ones that a queued reading
 * needs, those of earlier boots included. Bounded by MAX_SESSIONS.
 */
import { type Bytes, fromBigEndian } from "../protocol/bytes.ts";
import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import type { Recipient } from "../protocol/cose/encrypt.ts";
import type { Outbox } from "./outbox.ts";
import { rewind } from "./outgoing.ts";
import type { Clock, Log } from "./ports.ts";
import { REPEATS_BEFORE_REKEY } from "./repeat.ts";
import {
  closeSession,
  type Identity,
  MAX_SESSIONS,
  openSession,
  restoreSession,
  type Session,
} from "./session.ts";
import { eraseSigned, freeRecord, readSigned, type Signed, writeSigned } from "./signed-records.ts";

/** What outlasts a sleep, beside the session; times in Unix seconds, 0 where there is none. */
export interface SleepNote {
  /** The newest session goes on, with keys. */
  isResumed: boolean;
  /** All below is from before a sleep that has just ended. */
  isWake: boolean;
  /** When this wake began: an estimate. */
  wakeAt: number;
  /** Of the last health record. */
  healthAt: number;
  /** Of the last event about a sensor's failure. */
  failureAt: number;
  /** Sensors of whose failure the cloud was told: the first is bit 0. */
  failing: number;
  /** The uptime from which such an event may be sent. */
  tellFrom: number;
}

/** Gives the newest session, where there is one, what deep sleep has kept of it. */
export type Resume = (
  crypto: DeviceCrypto,
  identity: Identity,
  newest: Session | undefined,
) => SleepNote;

/** What else deep sleep looks into. Other boards keep no reference to it. */
export interface AtSleep {
  outbox: Outbox;
  events: () => Signed[];
  note: SleepNote;
}

/** Records "s0" to "s3". */
export const SESSION_RECORD = "s";

export interface SessionListOptions {
  crypto: DeviceCrypto;
  identity: Identity;
  recipients: Recipient[];
  clock: Clock;
  log: Log;
  /** Whether the newest session is receipted, at each change. */
  onSession: (receipted: boolean) => void;
}

export function createSessionList(options: SessionListOptions) {
  const crypto = options.crypto;
  /** Oldest first; the last one seals. */
  let sessions: Session[] = readSigned(crypto, SESSION_RECORD, "session", MAX_SESSIONS).map(
    restoreSession,
  );

  function newest(): Session {
    return sessions[sessions.length - 1] as Session;
  }

  function close(session: Session): void {
    sessions = sessions.filter((other) => other !== session);
    closeSession(crypto, session);
    eraseSigned(crypto, session, options.log);
  }

  return {
    newest: newest,
    all: () => sessions,

    find(kid: Bytes): Session | undefined {
      return sessions.filter((session) => session.kid === kid)[0];
    },

    /** After a boot: sessions that sealed none of the readings that are left are of no use any more. */
    forgetUnused(outbox: Outbox): void {
      const last = outbox.newestSession();
      sessions.slice(last ? sessions.indexOf(last) + 1 : 0).forEach(close);
    },

    /** Opens a session. Where all places are taken the oldest goes, with its readings if it has any. */
    open(outbox: Outbox): Session {
      if (sessions.length >= MAX_SESSIONS) {
        const oldest = sessions[0] as Session;
        outbox.discard(oldest);
        close(oldest);
      }
      const record = freeRecord(SESSION_RECORD, sessions);
      const uptime = options.clock.uptime();
      const session = openSession(crypto, options.identity, options.recipients, record, uptime);
      try {
        writeSigned(crypto, session);
      } catch (error) {
        closeSession(crypto, session);
        throw error;
      }
      sessions.push(session);
      options.onSession(false);
      return session;
    },

    /** Closes what nothing needs any more: older than the newest, and than all queued readings. */
    prune(outbox: Outbox): void {
      if (!newest().receipted) return;
      const needed = sessions.indexOf(outbox.oldestSession() || newest());
      sessions.slice(0, needed).forEach(close);
    },

    /**
     * Sends again what the broker took at `before` or earlier without a receipt. One that
     * the cloud does not take while it takes newer ones is given up after a while: it
     * would keep all readings behind its own from going out.
     */
    rewind(before: number, outbox: Outbox): void {
      sessions.forEach(function (session) {
        if (session.receipted || !rewind(session, before)) return;
        session.tries++;
        const alone = session === newest() || !newest().receipted;
        if (alone || session.tries < REPEATS_BEFORE_REKEY) return;
        options.log("session " + fromBigEndian(session.kid) + " is not taken, given up");
        outbox.discard(session);
        close(session);
      });
    },

    /**
     * Notes what a receipt lists; true when that was anything. Once the newest is known to
     * the cloud, its key opens the receipts of all: older ones are asked for again.
     */
    settle(hashes: Bytes[]): boolean {
      const uptime = options.clock.uptime();
      let settled = false;
      sessions.forEach(function (known) {
        if (known.receipted || hashes.indexOf(known.hash) < 0) return;
        known.receipted = true;
        known.settledAt = uptime;
        known.tries = 0;
        settled = true;
        options.log("session " + fromBigEndian(known.kid) + " is receipted");
        if (known !== newest()) return;
        options.onSession(true);
        sessions.forEach(function (older) {
          if (!older.receipted) rewind(older, uptime);
        });
      });
      return settled;
    },
  };
}
export type SessionList = ReturnType<typeof createSessionList>;
