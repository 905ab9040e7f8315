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
}

export interface SealedReading extends Outgoing {
  qos: 0 | 1;
  session: Session;
  sequence: number;
}

/** Marks what the broker took as not sent. What is still with MQTT stays there. */
export function rewind(item: Outgoing): void {
  if (item.state === ACKNOWLEDGED) item.state = WAITING;
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

    /** Takes out what a receipt lists. */
    settle(range: ReceiptRange): void {
      queue = queue.filter(
        (reading) =>
          reading.session.kid !== range.sessionKid ||
          reading.sequence < range.first ||
          reading.sequence > range.last,
      );
    },

    /** Takes out a session's readings, counted as dropped: their key is gone. */
    discard(session: Session): void {
      dropped += queue.length;
      queue = queue.filter((reading) => reading.session !== session);
      dropped -= queue.length;
    },

    /** Sends again what the broker took and no receipt has listed. */
    rewind(): void {
      queue.forEach(rewind);
    },

    /** True while a reading of the session is queued. */
    holds(session: Session): boolean {
      return queue.some((reading) => reading.session === session);
    },

    /** True when the broker took something that still wants a receipt. */
    awaiting(): boolean {
      return queue.some((reading) => reading.state === ACKNOWLEDGED);
    },

    /** Readings pushed out since boot. */
    drops(): number {
      return dropped;
    },
  };
}

export type Outbox = ReturnType<typeof createOutbox>;
