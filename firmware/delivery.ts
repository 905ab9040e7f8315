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
import { ACKNOWLEDGED, createOutbox, IN_FLIGHT, type SealedReading, WAITING } from "./outbox.ts";
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
  const sessions: Session[] = [];
  let repeats = 0;
  let timer = 0;
  /** Unix seconds at boot, from receipts: they never come from the future. */
  let bootTime: number | undefined;

  /** Closes sessions that nothing needs any more: not the newest, no reading queued. */
  function prune(): void {
    const newest = sessions[sessions.length - 1];
    if (newest === undefined || !newest.receipted) return;
    for (let i = sessions.length - 2; i >= 0; i--) {
      const session = sessions[i] as Session;
      if (!outbox.holds(session)) {
        sessions.splice(i, 1);
        closeSession(crypto, session);
      }
    }
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

  function wantsSending(): Session | undefined {
    for (let i = 0; i < sessions.length; i++) {
      const session = sessions[i] as Session;
      if (!session.receipted && !session.sent && !session.inFlight) return session;
    }
    return undefined;
  }

  function awaiting(): boolean {
    for (let i = 0; i < sessions.length; i++) {
      const session = sessions[i] as Session;
      if (session.sent && !session.receipted) return true;
    }
    return outbox.awaiting();
  }

  function waitSeconds(): number {
    let wait = DAY_SECONDS;
    if (repeats <= REPEATS_BEFORE_REKEY)
      wait = Math.min(firstWait * Math.pow(2, repeats), LONGEST_RECEIPT_SECONDS);
    // A quarter either way, from the C module: all boards' own dice fall alike.
    return wait * (0.75 + crypto.generateRandom(1).charCodeAt(0) / 512);
  }

  function repeat(): void {
    timer = 0;
    repeats++;
    options.log("no receipt, sending again (" + repeats + ")");
    for (let i = 0; i < sessions.length; i++) {
      const session = sessions[i] as Session;
      // A cloud that lost everything is given the session again before its readings.
      if (i === sessions.length - 1 || outbox.holds(session)) {
        session.receipted = false;
        session.sent = false;
      }
    }
    outbox.rewind();
    if (repeats === REPEATS_BEFORE_REKEY) open();
    pump();
  }

  function arm(): void {
    if (timer === 0 && awaiting()) timer = clock.setTimeout(repeat, waitSeconds() * 1000);
  }

  function disarm(): void {
    if (timer !== 0) clock.clearTimeout(timer);
    timer = 0;
  }

  function sendSession(session: Session): boolean {
    session.inFlight = options.publish("session", session.message, 2, function () {
      session.inFlight = false;
      session.sent = true;
      arm();
    });
    return session.inFlight;
  }

  function sendReading(reading: SealedReading): boolean {
    reading.state = IN_FLIGHT;
    const taken = options.publish("reading", reading.message, reading.qos, function () {
      if (reading.qos === 0) outbox.remove(reading);
      else reading.state = ACKNOWLEDGED;
      arm();
    });
    if (!taken) reading.state = WAITING;
    return taken;
  }

  /** Hands MQTT what may go out, sessions first, until it takes no more. */
  function pump(): void {
    let taken = true;
    while (taken) {
      const session = wantsSending();
      const reading = session === undefined ? outbox.next() : undefined;
      if (session !== undefined) taken = sendSession(session);
      else taken = reading !== undefined && sendReading(reading);
    }
    arm();
  }

  function settleMessages(hashes: Bytes[]): void {
    for (let i = 0; i < sessions.length; i++) {
      const session = sessions[i] as Session;
      if (hashes.indexOf(session.hash) >= 0) {
        if (!session.receipted)
          options.log("session " + fromBigEndian(session.kid) + " is receipted");
        session.receipted = true;
      }
    }
  }

  return {
    open: open,
    pump: pump,

    /** Unix seconds, where a receipt has told; undefined before. */
    time: function (): number | undefined {
      return bootTime === undefined ? undefined : Math.floor(bootTime + clock.uptime());
    },

    drops: outbox.drops,

    /** Seals a payload under the newest session and queues it. */
    accept: function (payload: Bytes, qos: 0 | 1): void {
      let session = sessions[sessions.length - 1] as Session;
      if (isSpent(session, clock.uptime())) session = open();
      const sequence = crypto.reserveSequence(session.key);
      session.lastSequence = sequence;
      const message = session.seal(sequence, payload);
      const full = outbox.push({
        session: session,
        sequence: sequence,
        qos: qos,
        message: message,
        state: WAITING,
      });
      if (full) options.log("queue full, oldest reading dropped (" + outbox.drops() + " so far)");
      pump();
    },

    /** Takes a receipt; anything else throws and changes nothing. */
    receipt: function (message: Bytes): void {
      const parsed = parseRandomIvEncrypt0(message);
      const index = sessions.map((session) => session.kid).indexOf(parsed.sessionKid);
      if (index < 0) return;
      const session = sessions[index] as Session;
      const receipt = openReceipt(crypto, session.receiptKey, options.identity.thumbprint, parsed);
      const boot = receipt.time - clock.uptime();
      if (bootTime === undefined || boot > bootTime) bootTime = boot;
      settleMessages(receipt.messages);
      receipt.readings.forEach(outbox.settle);
      repeats = 0;
      disarm();
      prune();
      pump();
    },
  };
}
export type Delivery = ReturnType<typeof createDelivery>;
