import { describe, expect, it } from "vitest";
import { ACKNOWLEDGED, IN_FLIGHT, WAITING } from "../../firmware/outgoing.ts";
import type { SealedReading } from "../../firmware/ring-entry.ts";
import { bytes } from "../../protocol/bytes.ts";
import { openOutbox, reading, session, take, upTo } from "../support/outbox-bench.ts";

describe("outbox in memory", () => {
  it("gives out waiting readings in order, none before its session's receipt", () => {
    const known = session("\x02");
    const unknown = session("\x03", false);
    const outbox = openOutbox([known, unknown]);
    outbox.push(reading(known, 1));
    outbox.push(reading(unknown, 1));
    outbox.push(reading(known, 2));
    const first = outbox.next() as SealedReading;
    expect([first.session, first.sequence]).toEqual([known, 1]);
    first.state = IN_FLIGHT;
    expect(outbox.next()).toBeUndefined();
    unknown.receipted = true;
    const second = outbox.next() as SealedReading;
    expect(second.session).toBe(unknown);
    second.state = IN_FLIGHT;
    expect(outbox.next()?.sequence).toBe(2);
  });

  it("drops the oldest when full, and counts it", () => {
    const of = session("\x01");
    const outbox = openOutbox([of], { readings: 2 });
    outbox.push(reading(of, 1));
    expect(outbox.isFull()).toBe(false);
    outbox.push(reading(of, 2));
    expect(outbox.isFull()).toBe(true);
    outbox.push(reading(of, 3));
    expect([outbox.drops(), outbox.length()]).toEqual([1, 2]);
    expect(outbox.next()?.sequence).toBe(2);
  });

  it("keeps an acknowledged reading until a receipt lists it, and sends it again on rewind", () => {
    const of = session("\x01");
    const outbox = openOutbox([of]);
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
    expect([outbox.next(), outbox.oldestSession()]).toEqual([undefined, undefined]);
  });

  it("does not send again what is still on its way to the broker", () => {
    const of = session("\x01");
    const outbox = openOutbox([of]);
    outbox.push(reading(of, 1));
    (outbox.next() as SealedReading).state = IN_FLIGHT;
    outbox.rewind(Infinity);
    expect(outbox.next()).toBeUndefined();
  });

  it("doubts a session of which nothing was settled since a late reading was taken", () => {
    const silent = session("\x01");
    const alive = session("\x02");
    const outbox = openOutbox([silent, alive]);
    outbox.push(reading(silent, 1));
    outbox.push(reading(alive, 1));
    take(outbox, 5);
    take(outbox, 5);
    alive.settledAt = 6;
    outbox.rewind(5);
    expect([silent.receipted, silent.state]).toEqual([false, WAITING]);
    expect([alive.receipted, alive.state]).toEqual([true, ACKNOWLEDGED]);
    expect(outbox.next()).toBeUndefined();
    silent.receipted = true;
    expect(outbox.next()?.session).toBe(silent);
  });

  it("settles a range of one session and leaves its neighbours and other sessions alone", () => {
    const one = session("\x01");
    const two = session("\x02");
    const outbox = openOutbox([one, two], { readings: 16 });
    for (const sequence of upTo(4)) {
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
    const kept = session("\x02");
    const outbox = openOutbox([gone, kept]);
    outbox.push(reading(gone, 1));
    outbox.push(reading(kept, 1));
    outbox.discard(gone);
    expect(outbox.drops()).toBe(1);
    expect(outbox.oldestSession()).toBe(kept);
  });
});
