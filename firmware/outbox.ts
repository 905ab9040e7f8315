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

export interface SealedReading {
  session: Session;
  sequence: number;
  qos: 0 | 1;
  message: Bytes;
  state: number;
}

export function createOutbox(limit: number) {
  let queue: SealedReading[] = [];
  let dropped = 0;

  return {
    /** Adds a reading; true when that pushed the oldest out. */
    push: function (reading: SealedReading): boolean {
      queue.push(reading);
      if (queue.length <= limit) return false;
      queue.shift();
      dropped++;
      return true;
    },

    /** The oldest reading that may go out now. */
    next: function (): SealedReading | undefined {
      for (let i = 0; i < queue.length; i++) {
        const reading = queue[i] as SealedReading;
        if (reading.state === WAITING && reading.session.receipted) return reading;
      }
      return undefined;
    },

    /** Takes a reading out: QoS 0, once written. */
    remove: function (reading: SealedReading): void {
      const index = queue.indexOf(reading);
      if (index >= 0) queue.splice(index, 1);
    },

    /** Takes out what a receipt lists. */
    settle: function (range: ReceiptRange): void {
      queue = queue.filter(function (reading) {
        return (
          reading.session.kid !== range.sessionKid ||
          reading.sequence < range.first ||
          reading.sequence > range.last
        );
      });
    },

    /** Takes out a session's readings, counted as dropped: their key is gone. */
    discard: function (session: Session): void {
      const before = queue.length;
      queue = queue.filter(function (reading) {
        return reading.session !== session;
      });
      dropped += before - queue.length;
    },

    /** Sends again what the broker took and no receipt has listed. */
    rewind: function (): void {
      queue.forEach(function (reading) {
        if (reading.state === ACKNOWLEDGED) reading.state = WAITING;
      });
    },

    /** True while a reading of the session is queued. */
    holds: function (session: Session): boolean {
      for (let i = 0; i < queue.length; i++)
        if ((queue[i] as SealedReading).session === session) return true;
      return false;
    },

    /** True when the broker took something that still wants a receipt. */
    awaiting: function (): boolean {
      for (let i = 0; i < queue.length; i++)
        if ((queue[i] as SealedReading).state === ACKNOWLEDGED) return true;
      return false;
    },

    /** Readings pushed out since boot. */
    drops: function (): number {
      return dropped;
    },
  };
}

export type Outbox = ReturnType<typeof createOutbox>;
