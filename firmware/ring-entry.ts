/** A sealed reading, and the bytes of it in the ring: SPEC.md, "What the device keeps". */
import { type Bytes, chars, fromBigEndian, toBigEndian } from "../protocol/bytes.ts";
import { type Outgoing, WAITING } from "./outgoing.ts";
import type { Session } from "./session.ts";

export interface SealedReading extends Outgoing {
  qos: 0 | 1;
  session: Session;
  sequence: number;
  /** Uptime at which it was taken in. */
  since: number;
  /** Needed no more, but still before others in the ring. */
  settled: boolean;
}

/** QoS, the kid's length, the kid, the sequence number's length, the number, the message. */
export function toEntry(reading: SealedReading): Bytes {
  const kid = reading.session.kid;
  const number = toBigEndian(reading.sequence);
  return (chars(reading.qos, kid.length) +
    kid +
    chars(number.length) +
    number +
    reading.message) as Bytes;
}

/** Undefined for no entry of ours, and when its session's message is gone: nobody could open it. */
export function fromEntry(
  entry: Bytes,
  sessionOf: (kid: Bytes) => Session | undefined,
): SealedReading | undefined {
  const numberAt = 3 + entry.charCodeAt(1);
  const messageAt = numberAt + entry.charCodeAt(numberAt - 1);
  // Also false for a number that reads past the end.
  if (!(entry.length > messageAt)) return undefined;
  const session = sessionOf(entry.substring(2, numberAt - 1) as Bytes);
  return (
    session && {
      qos: entry.charCodeAt(0) === 0 ? 0 : 1,
      session: session,
      sequence: fromBigEndian(entry.substring(numberAt, messageAt) as Bytes),
      message: entry.substring(messageAt) as Bytes,
      state: WAITING,
      takenAt: 0,
      since: 0,
      settled: false,
    }
  );
}
