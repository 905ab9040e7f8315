/**
 * The queue of sealed readings: those that wait longest in the ring in flash, where a
 * power cut leaves them, the newest in memory. A reading waits until its session is
 * known to the cloud, is sent, and (QoS 1) stays until a receipt lists it.
 *
 *   [ head: loaded from the ring ][ ring, not loaded ][ tail: in memory only ]
 *
 * Oldest first throughout, so that an outage ends with everything in order.
 */
import type { Bytes } from "../protocol/bytes.ts";
import type { DeviceRing } from "../protocol/cose/crypto.ts";
import type { ReceiptRange } from "../protocol/receipt.ts";
import type { Losses } from "./losses.ts";
import { earliestTaken, type Outgoing, rewind, WAITING } from "./outgoing.ts";
import type { Log } from "./ports.ts";
import { fromEntry, type SealedReading, toEntry } from "./ring-entry.ts";
import type { Session } from "./session.ts";

/**
 * Readings loaded from the ring at a time: what MQTT has in flight, and three that may follow at once. With
 * fewer a queue empties slower than a fast sensor fills it; a command needs the room of more.
 */
export const LOADED = 7;

export interface OutboxOptions {
  ring: DeviceRing;
  log: Log;
  losses: Losses;
  /** Readings in memory, and in the ring. */
  readings: number;
  flash: number;
  /** The session with this kid, while its message is kept. */
  sessionOf: (kid: Bytes) => Session | undefined;
}

export function createOutbox(options: OutboxOptions) {
  const ring = options.ring;
  const losses = options.losses;
  let head: SealedReading[] = [];
  let tail: SealedReading[] = [];
  let inFlash = 0;
  let flash = options.flash;

  function complain(error: unknown): void {
    options.log("queue in flash: " + (error as Error).message);
  }

  /** Without flash the queue lives in memory alone. */
  function count(): void {
    try {
      inFlash = flash > 0 ? ring.ringCount() : 0;
    } catch (error) {
      complain(error);
      flash = 0;
      inFlash = 0;
    }
  }
  count();

  /** Takes the oldest entries out of the ring as far as they are settled. */
  function trim(): void {
    let settled = 0;
    while (settled < head.length && (head[settled] as SealedReading).settled) settled++;
    if (settled === 0) return;
    try {
      ring.ringDrop(settled);
    } catch (error) {
      // They stay settled here, and are offered again after a restart: the cloud drops repeats.
      complain(error);
      return;
    }
    head.splice(0, settled);
    inFlash -= settled;
  }

  /** Loads from the ring what there is room for; what has no session any more is dropped. */
  function load(): void {
    while (head.length < LOADED && head.length < inFlash) {
      let entry: Bytes | undefined;
      try {
        entry = ring.ringPeek(head.length);
      } catch (error) {
        complain(error);
      }
      if (entry === undefined) {
        head = [];
        count();
        return;
      }
      const reading = fromEntry(entry, options.sessionOf);
      if (reading) head.push(reading);
      else {
        losses.readings++;
        head.push({ settled: true } as SealedReading);
        trim();
      }
    }
  }

  /** The oldest `lost` entries of the ring are no more. */
  function forget(lost: number): void {
    for (let i = 0; i < lost; i++) {
      const reading = head.shift();
      if (!reading || !reading.settled) losses.readings++;
    }
    inFlash -= lost;
  }

  /** Moves the oldest of the tail to the ring; false when that does not work. */
  function spill(): boolean {
    const reading = tail[0];
    if (!reading || flash === 0) return false;
    try {
      if (inFlash >= flash) {
        ring.ringDrop(1);
        forget(1);
      }
      const evicted = ring.ringAppend(toEntry(reading));
      forget(evicted);
    } catch (error) {
      complain(error);
      head = [];
      count();
      return false;
    }
    tail.shift();
    inFlash++;
    if (head.length === inFlash - 1 && head.length < LOADED) head.push(reading);
    return true;
  }

  function firstWaiting(list: SealedReading[]): SealedReading | undefined {
    return list.filter((reading) => reading.state === WAITING && !reading.settled)[0];
  }

  /** Takes out what `isDone` says true to, of what is in memory; true when that was anything. */
  function takeOut(isDone: (reading: SealedReading) => boolean): boolean {
    let any = false;
    head.forEach(function (reading) {
      if (reading.settled || !isDone(reading)) return;
      reading.settled = true;
      reading.message = "" as Bytes;
      any = true;
    });
    const before = tail.length;
    tail = tail.filter((reading) => !isDone(reading));
    trim();
    return any || tail.length < before;
  }

  return {
    /**
     * True when one more would cost the oldest reading its place: at once, or when it is moved
     * to flash, as each is in time.
     */
    isFull(): boolean {
      return inFlash + tail.length >= (flash || options.readings);
    },

    /** Adds a reading. Where all is full the oldest goes, counted. */
    push(reading: SealedReading): void {
      tail.push(reading);
      if (tail.length <= options.readings || spill()) return;
      tail.shift();
      losses.readings++;
    },

    /** Moves to flash what was taken in at `before` or earlier; `gently`: as far as none loses its place there. */
    spill(before: number, gently?: boolean): void {
      while (
        tail.length > 0 &&
        (tail[0] as SealedReading).since <= before &&
        !(gently && inFlash >= flash) &&
        spill()
      );
    },

    /** Uptime since which the oldest reading waits in memory; Infinity when none does. */
    oldestInMemory(): number {
      const reading = flash > 0 ? tail[0] : undefined;
      return reading ? reading.since : Infinity;
    },

    /** The oldest reading that waits, if it may go out now: none overtakes another. */
    next(): SealedReading | undefined {
      load();
      const reading = firstWaiting(head) || (head.length === inFlash && firstWaiting(tail));
      return reading && reading.session.receipted ? reading : undefined;
    },

    /** Takes a reading out: QoS 0, once written. */
    remove(gone: Outgoing): void {
      takeOut((reading) => reading === gone);
    },

    /** Takes out what a receipt lists; true when that was anything. */
    settle(range: ReceiptRange, uptime: number): boolean {
      return takeOut(function (reading) {
        const session = reading.session;
        const listed =
          session.kid === range.sessionKid &&
          reading.sequence >= range.first &&
          reading.sequence <= range.last;
        if (listed) session.settledAt = uptime;
        return listed;
      });
    },

    /** Takes out a session's readings, counted as dropped: those not loaded when their turn comes. */
    discard(session: Session): void {
      takeOut(function (reading) {
        if (reading.session !== session) return false;
        losses.readings++;
        return true;
      });
    },

    /**
     * Sends again what the broker took at `before` or earlier and no receipt has listed.
     * Where receipts settled nothing of its session since, the cloud may have lost that
     * too: it is given the session again before its readings.
     */
    rewind(before: number): void {
      head.concat(tail).forEach(function (reading) {
        const session = reading.session;
        if (reading.settled || !rewind(reading, before) || session.settledAt > reading.takenAt)
          return;
        session.receipted = false;
        rewind(session, before);
      });
    },

    /** The session of the oldest reading: no older one is needed. */
    oldestSession(): Session | undefined {
      load();
      const reading = head.concat(tail).filter((waiting) => !waiting.settled)[0];
      return reading && reading.session;
    },

    /** After a boot: the session of the last reading in the ring. */
    newestSession(): Session | undefined {
      let entry: Bytes | undefined;
      try {
        entry = inFlash > 0 ? ring.ringPeek(inFlash - 1) : undefined;
      } catch (error) {
        complain(error);
      }
      const reading = entry && fromEntry(entry, options.sessionOf);
      return reading && reading.session;
    },

    /** When the broker took what has waited longest for its receipt; Infinity when nothing has. */
    waitingSince(): number {
      return earliestTaken(head.concat(tail).filter((reading) => !reading.settled));
    },

    /** Readings that wait, settled ones among those in the ring included. */
    length(): number {
      return inFlash + tail.length;
    },
  };
}

export type Outbox = ReturnType<typeof createOutbox>;
