/**
 * The queue of sealed readings. A reading waits until its session is known to the
 * cloud, is sent, and (QoS 1) stays until a receipt lists it. Bounded: when full,
 * the oldest goes, and the number of drops travels with the next reading.
 */
import type { Bytes } from "../protocol/bytes.ts";
import type { ReceiptRange } from "../protocol/receipt.ts";
import type { Session } from "./session.ts";

/** Not yet given to MQTT. */
export const WAITING = 0;
/** Given to MQTT, not yet acknowledged by the broker. */
export const IN_FLIGHT = 1;
/** The broker has it; the cloud has not said so. */
export const ACKNOWLEDGED = 2;

/** What goes to MQTT: a reading, or a session's message. */
export interface Outgoing {
  message: Bytes;
  qos: 0 | 1 | 2;
  state: number;
  /** Uptime at which the broker took it. */
  takenAt: number;
}

export interface SealedReading extends Outgoing {
  qos: 0 | 1;
  session: Session;
  sequence: number;
}

/**
 * Marks as not sent what the broker took at `before` or earlier, and says so. What is
 * still with MQTT stays there.
 */
export function rewind(item: Outgoing, before: number): boolean {
  if (item.state !== ACKNOWLEDGED || item.takenAt > before) return false;
  item.state = WAITING;
  return true;
}

export function createOutbox(limit: number) {
  let queue: SealedReading[] = [];
  let dropped = 0;

  return {
    /** Adds a reading; true when that pushed the oldest out. */
    push(reading: SealedReading): boolean {
      queue.push(reading);
      if (queue.length <= limit) return false;
      queue.shift();
      dropped++;
      return true;
    },

    /** The oldest reading that may go out now. */
    next(): SealedReading | undefined {
      for (let i = 0; i < queue.length; i++) {
        const reading = queue[i] as SealedReading;
        if (reading.state === WAITING && reading.session.receipted) return reading;
      }
      return undefined;
    },

    /** Takes a reading out: QoS 0, once written. */
    remove(reading: Outgoing): void {
      queue = queue.filter((other) => other !== reading);
    },

    /** Takes out what a receipt lists; true when that was anything. */
    settle(range: ReceiptRange, uptime: number): boolean {
      const before = queue.length;
      queue = queue.filter(function (reading) {
        const session = reading.session;
        const listed =
          session.kid === range.sessionKid &&
          reading.sequence >= range.first &&
          reading.sequence <= range.last;
        if (listed) session.settledAt = uptime;
        return !listed;
      });
      return queue.length < before;
    },

    /** Takes out a session's readings, counted as dropped: their key is gone. */
    discard(session: Session): void {
      dropped += queue.length;
      queue = queue.filter((reading) => reading.session !== session);
      dropped -= queue.length;
    },

    /**
     * Sends again what the broker took at `before` or earlier and no receipt has listed.
     * Where receipts settled nothing of its session since, the cloud may have lost that
     * too: it is given the session again before its readings.
     */
    rewind(before: number): void {
      queue.forEach(function (reading) {
        const session = reading.session;
        if (!rewind(reading, before) || session.settledAt > reading.takenAt) return;
        session.receipted = false;
        rewind(session, before);
      });
    },

    /** True while a reading of the session is queued. */
    holds(session: Session): boolean {
      return queue.some((reading) => reading.session === session);
    },

    /** When the broker took what has waited longest for its receipt; Infinity when nothing has. */
    waitingSince(): number {
      let since = Infinity;
      queue.forEach(function (reading) {
        if (reading.state === ACKNOWLEDGED) since = Math.min(since, reading.takenAt);
      });
      return since;
    },

    /** Readings that wait, sent or not. */
    size(): number {
      return queue.length;
    },

    /** Readings pushed out since boot. */
    drops(): number {
      return dropped;
    },
  };
}

export type Outbox = ReturnType<typeof createOutbox>;
