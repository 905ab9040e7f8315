import { createOutbox } from "../../firmware/outbox.ts";
import { ACKNOWLEDGED, WAITING } from "../../firmware/outgoing.ts";
import type { SealedReading } from "../../firmware/ring-entry.ts";
import type { Session } from "../../firmware/session.ts";
import { bytes } from "../../protocol/bytes.ts";
import { createMemoryRing } from "./memory-ring.ts";

export const session = (kid: string, receipted = true) =>
  ({ kid: bytes(kid), receipted, state: ACKNOWLEDGED, takenAt: 0, settledAt: 0 }) as Session;
export const reading = (of: Session, sequence: number, qos: 0 | 1 = 1): SealedReading => ({
  session: of,
  sequence,
  qos,
  message: bytes(`reading ${sequence}`),
  state: WAITING,
  takenAt: 0,
  since: sequence,
  settled: false,
});

export type Outbox = ReturnType<typeof createOutbox>;

export interface BenchOptions {
  readings?: number;
  flash?: number;
  ring?: ReturnType<typeof createMemoryRing>;
}

/** An outbox over flash that is memory. */
export function openOutbox(
  sessions: Session[],
  { readings = 4, flash = 0, ring = createMemoryRing() }: BenchOptions = {},
) {
  const log: string[] = [];
  const losses = { readings: 0, told: 0, events: 0, kept: 0 };
  const outbox = createOutbox({
    ring,
    log: (line) => log.push(line),
    losses,
    readings,
    flash,
    sessionOf: (kid) => sessions.find((known) => known.kid === kid),
  });
  return Object.assign(outbox, { ring, log, drops: () => losses.readings });
}

/** The broker takes the next reading. */
export function take(outbox: Outbox, takenAt: number): SealedReading {
  const next = outbox.next() as SealedReading;
  next.state = ACKNOWLEDGED;
  next.takenAt = takenAt;
  return next;
}

/** Receipts everything in turn, and tells in which order it went out. */
export function drain(outbox: Outbox): number[] {
  const order: number[] = [];
  for (let next = outbox.next(); next; next = outbox.next()) {
    order.push(next.sequence);
    const sequence = next.sequence;
    outbox.settle({ sessionKid: next.session.kid, first: sequence, last: sequence }, 1);
  }
  return order;
}

export const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, index) => index + first);
