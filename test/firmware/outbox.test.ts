import { describe, expect, it } from "vitest";
import {
  ACKNOWLEDGED,
  createOutbox,
  IN_FLIGHT,
  type SealedReading,
  WAITING,
} from "../../firmware/outbox.ts";
import type { Session } from "../../firmware/session.ts";
import { bytes } from "../../protocol/bytes.ts";

const session = (kid: string, receipted = true) =>
  ({ kid: bytes(kid), receipted, state: ACKNOWLEDGED, takenAt: 0, settledAt: 0 }) as Session;
const reading = (of: Session, sequence: number): SealedReading => ({
  session: of,
  sequence,
  qos: 1,
  message: bytes(`reading ${sequence}`),
  state: WAITING,
  takenAt: 0,
});

/** The broker takes the next reading. */
function take(outbox: ReturnType<typeof createOutbox>, takenAt: number): SealedReading {
  const next = outbox.next() as SealedReading;
  next.state = ACKNOWLEDGED;
  next.takenAt = takenAt;
  return next;
}

describe("outbox", () => {
  it("gives out waiting readings in order, only of receipted sessions", () => {
    const known = session("\x02");
    const unknown = session("\x03", false);
    const outbox = createOutbox(8);
    outbox.push(reading(unknown, 1));
    outbox.push(reading(known, 1));
    outbox.push(reading(known, 2));
    const first = outbox.next() as SealedReading;
    expect([first.session, first.sequence]).toEqual([known, 1]);
    first.state = IN_FLIGHT;
    expect(outbox.next()?.sequence).toBe(2);
    unknown.receipted = true;
    expect(outbox.next()?.session).toBe(unknown);
  });

  it("drops the oldest when full, and counts it", () => {
    const of = session("\x01");
    const outbox = createOutbox(2);
    expect(outbox.push(reading(of, 1))).toBe(false);
    expect(outbox.push(reading(of, 2))).toBe(false);
    expect(outbox.push(reading(of, 3))).toBe(true);
    expect(outbox.drops()).toBe(1);
    expect(outbox.next()?.sequence).toBe(2);
  });

  it("keeps an acknowledged reading until a receipt lists it, and sends it again on rewind", () => {
    const of = session("\x01");
    const outbox = createOutbox(4);
    outbox.push(reading(of, 1));
    of.settledAt = 6;
    expect(outbox.waitingSince()).toBe(Infinity);
    take(outbox, 5);
    expect(outbox.next()).toBeUndefined();
    expect(outbox.waitingSince()).toBe(5);
    outbox.rewind(4);
    expect(outbox.next()).toBeUndefined();
    outbox.rewind(5);
    expect(outbox.next()?.sequence).toBe(1);
    expect(outbox.settle({ sessionKid: bytes("\x01"), first: 1, last: 1 }, 9)).toBe(true);
    expect(outbox.settle({ sessionKid: bytes("\x01"), first: 1, last: 1 }, 10)).toBe(false);
    expect(of.settledAt).toBe(9);
    expect(outbox.next()).toBeUndefined();
    expect(outbox.holds(of)).toBe(false);
  });

  it("does not send again what is still on its way to the broker", () => {
    const outbox = createOutbox(4);
    outbox.push(reading(session("\x01"), 1));
    (outbox.next() as SealedReading).state = IN_FLIGHT;
    outbox.rewind(Infinity);
    expect(outbox.next()).toBeUndefined();
  });

  it("doubts a session of which nothing was settled since a late reading was taken", () => {
    const silent = session("\x01");
    const alive = session("\x02");
    const outbox = createOutbox(4);
    outbox.push(reading(silent, 1));
    outbox.push(reading(alive, 1));
    take(outbox, 5);
    take(outbox, 5);
    alive.settledAt = 6;
    outbox.rewind(5);
    expect([silent.receipted, silent.state]).toEqual([false, WAITING]);
    expect([alive.receipted, alive.state]).toEqual([true, ACKNOWLEDGED]);
    expect(outbox.next()?.session).toBe(alive);
  });

  it("settles a range of one session and leaves its neighbours and other sessions alone", () => {
    const one = session("\x01");
    const two = session("\x02");
    const outbox = createOutbox(16);
    for (let sequence = 1; sequence <= 4; sequence++) {
      outbox.push(reading(one, sequence));
      outbox.push(reading(two, sequence));
    }
    outbox.settle({ sessionKid: bytes("\x01"), first: 2, last: 3 }, 1);
    const left: string[] = [];
    for (let next = outbox.next(); next; next = outbox.next()) {
      left.push(`${next.session.kid.charCodeAt(0)}.${next.sequence}`);
      outbox.remove(next);
    }
    expect(left).toEqual(["1.1", "2.1", "2.2", "2.3", "1.4", "2.4"]);
  });

  it("counts a discarded session's readings as dropped", () => {
    const gone = session("\x01");
    const outbox = createOutbox(4);
    outbox.push(reading(gone, 1));
    outbox.push(reading(session("\x02"), 1));
    outbox.discard(gone);
    expect(outbox.drops()).toBe(1);
    expect(outbox.holds(gone)).toBe(false);
  });
});
