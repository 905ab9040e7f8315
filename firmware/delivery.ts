/**
 * From a sealed reading to the cloud's word that it is stored. PUBCOMP and PUBACK
 * say only that a broker has a message; what counts is the receipt. A session's
 * readings go out after its receipt, and stay queued until a receipt lists them.
 */
import { type Bytes, fromBigEndian } from "../protocol/bytes.ts";
import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import type { Recipient } from "../protocol/cose/encrypt.ts";
import { parseRandomIvEncrypt0 } from "../protocol/cose/encrypt0.ts";
import { openReceipt } from "../protocol/receipt.ts";
import type { MessageClass } from "../protocol/topics.ts";
import { ACKNOWLEDGED, createOutbox, IN_FLIGHT, type Outgoing, rewind, WAITING } from "./outbox.ts";
import type { Clock, Log } from "./ports.ts";
import {
  closeSession,
  type Identity,
  isSpent,
  MAX_SESSIONS,
  openSession,
  type Session,
} from "./session.ts";

/** Without a receipt for this long, what the broker took is sent again; doubled up to the longest. */
const RECEIPT_SECONDS = 60;
const LONGEST_RECEIPT_SECONDS = 3600;
/** After this many such repeats one new session is tried, and then a repeat a day. */
const REPEATS_BEFORE_REKEY = 8;
const DAY_SECONDS = 86400;

/**
 * Hands a message to MQTT; false when the client is not ready for it. `done` is
 * called when the broker has it (PUBCOMP, PUBACK) or, at QoS 0, when it is written.
 */
export type Publish = (
  messageClass: MessageClass,
  message: Bytes,
  qos: 0 | 1 | 2,
  done: () => void,
) => boolean;

export interface DeliveryOptions {
  crypto: DeviceCrypto;
  identity: Identity;
  recipients: Recipient[];
  clock: Clock;
  log: Log;
  publish: Publish;
  /** Readings kept until receipted. */
  queueLimit: number;
  /** Seconds before the first repeat; 0 takes the default. */
  receiptSeconds: number;
}

export function createDelivery(options: DeliveryOptions) {
  const crypto = options.crypto;
  const clock = options.clock;
  const outbox = createOutbox(options.queueLimit);
  const firstWait = options.receiptSeconds || RECEIPT_SECONDS;
  /** Oldest first; the last one seals. */
  let sessions: Session[] = [];
  let repeats = 0;
  let timer = 0;
  /** Unix seconds of the latest receipt, and what they make of the moment of boot. */
  let latest = 0;
  let bootTime: number | undefined;

  function newest(): Session {
    return sessions[sessions.length - 1] as Session;
  }

  /** Closes sessions that nothing needs any more: not the newest, no reading queued. */
  function prune(): void {
    const last = newest();
    if (!last.receipted) return;
    sessions = sessions.filter(function (session) {
      const needed = session === last || outbox.holds(session);
      if (!needed) closeSession(crypto, session);
      return needed;
    });
  }

  function open(): Session {
    const session = openSession(crypto, options.identity, options.recipients, clock.uptime());
    sessions.push(session);
    if (sessions.length > MAX_SESSIONS) {
      const oldest = sessions.shift() as Session;
      outbox.discard(oldest);
      closeSession(crypto, oldest);
    }
    return session;
  }

  /** When the broker took what has waited longest for its receipt; Infinity when nothing has. */
  function waitingSince(): number {
    let since = outbox.waitingSince();
    sessions.forEach(function (session) {
      if (session.state === ACKNOWLEDGED && !session.receipted)
        since = Math.min(since, session.takenAt);
    });
    return since;
  }

  function repeat(): void {
    timer = 0;
    repeats++;
    options.log("no receipt, sending again (" + repeats + ")");
    // What was taken a moment ago is not late: only its elders are.
    const before = clock.uptime() - firstWait / 2;
    sessions.forEach(function (session) {
      if (!session.receipted) rewind(session, before);
    });
    outbox.rewind(before);
    if (repeats === REPEATS_BEFORE_REKEY) open();
    pump();
  }

  /** Waits for the receipt of what was taken first: others that come do not put it off. */
  function arm(): void {
    const since = waitingSince();
    if (timer !== 0 || since === Infinity) return;
    const wait =
      repeats <= REPEATS_BEFORE_REKEY
        ? Math.min(firstWait * Math.pow(2, repeats), LONGEST_RECEIPT_SECONDS)
        : DAY_SECONDS;
    // A quarter either way, from the C module: all boards' own dice fall alike.
    const jitter = 0.75 + crypto.generateRandom(1).charCodeAt(0) / 512;
    timer = clock.setTimeout(repeat, Math.max(0, since + wait * jitter - clock.uptime()) * 1000);
  }

  /** False when MQTT does not take it now. */
  function send(messageClass: MessageClass, item: Outgoing): boolean {
    item.state = IN_FLIGHT;
    const taken = options.publish(messageClass, item.message, item.qos, function () {
      item.state = ACKNOWLEDGED;
      item.takenAt = clock.uptime();
      if (item.qos === 0) outbox.remove(item);
      arm();
    });
    if (!taken) item.state = WAITING;
    return taken;
  }

  /** Hands MQTT what may go out, sessions first, until it takes no more. */
  function pump(): void {
    let taken = true;
    while (taken) {
      const session = sessions.filter((s) => s.state === WAITING && !s.receipted)[0];
      const reading = session ? undefined : outbox.next();
      if (session) taken = send("session", session);
      else taken = reading !== undefined && send("reading", reading);
    }
    arm();
  }

  return {
    open: open,
    pump: pump,

    /** Unix seconds, where a receipt has told; undefined before. */
    time(): number | undefined {
      return bootTime === undefined ? undefined : Math.floor(bootTime + clock.uptime());
    },

    drops: outbox.drops,

    /** Counts for a person; `receipted`: the cloud has the newest session. */
    summary: () => ({
      queued: outbox.size(),
      sessions: sessions.length,
      receipted: newest().receipted,
    }),

    /** Opens a session before it is due. Not while the newest has no receipt: four are kept at most. */
    rekey(): boolean {
      if (!newest().receipted) return false;
      open();
      pump();
      return true;
    },

    /** Seals a payload under the newest session and queues it. */
    accept(payload: Bytes, qos: 0 | 1): void {
      const session = isSpent(newest(), clock.uptime()) ? open() : newest();
      const sequence = crypto.reserveSequence(session.key);
      session.lastSequence = sequence;
      const full = outbox.push({
        session: session,
        sequence: sequence,
        qos: qos,
        message: session.seal(sequence, payload),
        state: WAITING,
        takenAt: 0,
      });
      if (full) options.log("queue full, oldest reading dropped (" + outbox.drops() + " so far)");
      pump();
    },

    /**
     * Takes a receipt; anything else throws and changes nothing. What may go out now waits
     * for pump, which MQTT calls once its reply is written: the stack is small.
     */
    receipt(message: Bytes): void {
      const parsed = parseRandomIvEncrypt0(message);
      const session = sessions.filter((known) => known.kid === parsed.sessionKid)[0];
      if (!session) return;
      const receipt = openReceipt(crypto, session.receiptKey, options.identity.thumbprint, parsed);
      const uptime = clock.uptime();
      // The latest word counts; an old receipt that comes again tells an old time.
      if (receipt.time > latest) {
        latest = receipt.time;
        bootTime = latest - uptime;
      }
      let settled = false;
      sessions.forEach(function (known) {
        if (known.receipted || receipt.messages.indexOf(known.hash) < 0) return;
        known.receipted = true;
        known.settledAt = uptime;
        settled = true;
        options.log("session " + fromBigEndian(known.kid) + " is receipted");
      });
      receipt.readings.forEach(function (range) {
        if (outbox.settle(range, uptime)) settled = true;
      });
      if (!settled) return;
      repeats = 0;
      clock.clearTimeout(timer);
      timer = 0;
      prune();
    },
  };
}
export type Delivery = ReturnType<typeof createDelivery>;
