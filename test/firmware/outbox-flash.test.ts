import { describe, expect, it } from "vitest";
import { LOADED } from "../../firmware/outbox.ts";
import { IN_FLIGHT } from "../../firmware/outgoing.ts";
import type { SealedReading } from "../../firmware/ring-entry.ts";
import { bytes } from "../../protocol/bytes.ts";
import { createMemoryRing } from "../support/memory-ring.ts";
import { drain, openOutbox, reading, session, take, upTo } from "../support/outbox-bench.ts";

describe("outbox with flash", () => {
  it("moves the oldest to flash when memory is full, and gives all out in order", () => {
    const of = session("\x01");
    const outbox = openOutbox([of], { readings: 4, flash: 100 });
    for (const sequence of upTo(60)) outbox.push(reading(of, sequence));
    expect([outbox.length(), outbox.ring.ringCount(), outbox.drops()]).toEqual([60, 56, 0]);
    expect(drain(outbox)).toEqual(upTo(60));
    expect([outbox.length(), outbox.ring.ringCount()]).toEqual([0, 0]);
  });

  it("finds what is in flash again after a restart, and nothing of what was in memory", () => {
    const of = session("\x01\x02");
    const before = openOutbox([of], { readings: 4, flash: 100 });
    for (const sequence of [1, 300, 70_000, 4, 5, 6, 7]) before.push(reading(of, sequence));
    const after = openOutbox([of], { flash: 100, ring: createMemoryRing(before.ring.image) });
    expect(after.newestSession()).toBe(of);
    const first = after.next() as SealedReading;
    expect([first.session, first.message, first.qos]).toEqual([of, "reading 1", 1]);
    expect(drain(after)).toEqual([1, 300, 70_000]);
    expect(after.newestSession()).toBeUndefined();
  });

  it("keeps the quality of service of a reading in flash", () => {
    const of = session("\x01");
    const outbox = openOutbox([of], { readings: 0, flash: 100 });
    outbox.push(reading(of, 1, 0));
    const after = openOutbox([of], { flash: 100, ring: createMemoryRing(outbox.ring.image) });
    const next = after.next() as SealedReading;
    expect(next.qos).toBe(0);
    after.remove(next);
    expect([after.length(), after.ring.ringCount()]).toEqual([0, 0]);
  });

  it("moves what has waited for long, and leaves the rest in memory", () => {
    const of = session("\x01");
    const outbox = openOutbox([of], { readings: 10, flash: 100 });
    for (const sequence of upTo(6)) outbox.push(reading(of, sequence));
    expect(outbox.oldestInMemory()).toBe(1);
    outbox.spill(3);
    expect([outbox.ring.ringCount(), outbox.oldestInMemory()]).toEqual([3, 4]);
    outbox.spill(Infinity);
    expect([outbox.ring.ringCount(), outbox.oldestInMemory()]).toEqual([6, Infinity]);
  });

  it("moves, where it is asked gently, only what costs no reading its place", () => {
    const of = session("\x01");
    const outbox = openOutbox([of], { readings: 10, flash: 4 });
    for (const sequence of upTo(6)) outbox.push(reading(of, sequence));
    outbox.spill(Infinity, true);
    expect([outbox.ring.ringCount(), outbox.oldestInMemory(), outbox.drops()]).toEqual([4, 5, 0]);
    expect(drain(outbox)).toEqual(upTo(6));
  });

  it("goes on with a reading that MQTT has while it is moved", () => {
    const of = session("\x01");
    const outbox = openOutbox([of], { readings: 10, flash: 100 });
    outbox.push(reading(of, 1));
    const inFlight = outbox.next() as SealedReading;
    inFlight.state = IN_FLIGHT;
    outbox.spill(Infinity);
    expect(outbox.next()).toBeUndefined();
    outbox.settle({ sessionKid: of.kid, first: 1, last: 1 }, 1);
    expect(outbox.ring.ringCount()).toBe(0);
  });

  it("takes out in order what receipts list out of order, and holds few in memory", () => {
    const of = session("\x01");
    const outbox = openOutbox([of], { readings: 0, flash: 100 });
    for (const sequence of upTo(20)) outbox.push(reading(of, sequence));
    const sent = upTo(LOADED).map(() => take(outbox, 1).sequence);
    expect(sent).toEqual(upTo(LOADED));
    expect(outbox.next()).toBeUndefined();
    outbox.settle({ sessionKid: of.kid, first: 2, last: LOADED }, 1);
    expect([outbox.ring.ringCount(), outbox.next()]).toEqual([20, undefined]);
    outbox.settle({ sessionKid: of.kid, first: 1, last: 1 }, 1);
    expect(outbox.ring.ringCount()).toBe(20 - LOADED);
    expect(drain(outbox)).toEqual(upTo(20, LOADED + 1));
  });

  it("drops the oldest in flash when that is full too, and counts it", () => {
    const of = session("\x01");
    const outbox = openOutbox([of], { readings: 2, flash: 5 });
    for (const sequence of upTo(12)) outbox.push(reading(of, sequence));
    expect([outbox.length(), outbox.drops(), outbox.isFull()]).toEqual([7, 5, true]);
    expect(drain(outbox)).toEqual(upTo(12, 6));
  });

  it("is full once flash is spoken for: what is in memory goes there in time", () => {
    const of = session("\x01");
    const outbox = openOutbox([of], { readings: 4, flash: 5 });
    for (const sequence of upTo(4)) outbox.push(reading(of, sequence));
    expect(outbox.isFull()).toBe(false);
    outbox.push(reading(of, 5));
    expect([outbox.isFull(), outbox.ring.ringCount()]).toEqual([true, 1]);
    outbox.spill(Infinity);
    expect([outbox.length(), outbox.drops()]).toEqual([5, 0]);
    outbox.push(reading(of, 6));
    outbox.spill(Infinity);
    expect([outbox.length(), outbox.drops()]).toEqual([5, 1]);
  });

  it("counts what flash itself had to give up for want of space", () => {
    const of = session("\x01");
    const outbox = openOutbox([of], { readings: 0, flash: 100_000 });
    const long = bytes("x".repeat(1000));
    for (const sequence of upTo(80)) outbox.push({ ...reading(of, sequence), message: long });
    expect(outbox.drops()).toBeGreaterThan(0);
    expect(outbox.length() + outbox.drops()).toBe(80);
    expect(drain(outbox)).toEqual(upTo(80, outbox.drops() + 1));
  });

  it("drops what has no session any more, when its turn comes, and goes on", () => {
    const gone = session("\x01");
    const kept = session("\x02");
    const sessions = [gone, kept];
    const outbox = openOutbox(sessions, { readings: 0, flash: 100 });
    for (const sequence of upTo(30)) outbox.push(reading(gone, sequence));
    outbox.push(reading(kept, 1));
    sessions.shift();
    outbox.discard(gone);
    expect(outbox.next()?.session).toBe(kept);
    expect([outbox.drops(), outbox.length()]).toEqual([30, 1]);
  });

  it("drops what stands damaged in flash for its session's, never sends it as another's", () => {
    const of = session("\x01");
    const ring = createMemoryRing();
    for (const entry of ["", "\x01", "\x01\x05ab", "\x07\x01\x02\x01\x01zz"])
      if (entry) ring.ringAppend(bytes(entry));
    const outbox = openOutbox([of], { flash: 100, ring });
    outbox.push(reading(of, 1));
    expect(outbox.next()?.sequence).toBe(1);
    expect(outbox.drops()).toBe(3);
  });

  it("goes on in memory while flash fails, says so, and uses it again later", () => {
    const of = session("\x01");
    const outbox = openOutbox([of], { readings: 2, flash: 100 });
    for (const sequence of upTo(4)) outbox.push(reading(of, sequence));
    outbox.ring.state.broken = true;
    for (const sequence of [5, 6]) outbox.push(reading(of, sequence));
    expect(outbox.log.length).toBeGreaterThan(0);
    expect([outbox.drops(), outbox.length()]).toEqual([2, 4]);
    outbox.settle({ sessionKid: of.kid, first: 1, last: 1 }, 1);
    outbox.ring.state.broken = false;
    outbox.push(reading(of, 7));
    expect(drain(outbox)).toEqual([1, 2, 5, 6, 7]);
    expect(outbox.length()).toBe(0);
  });

  it("lives in memory alone where there is no flash, and says why once", () => {
    const of = session("\x01");
    const ring = createMemoryRing();
    ring.ringCount = () => {
      throw new Error("no flash");
    };
    const outbox = openOutbox([of], { readings: 2, flash: 100, ring });
    for (const sequence of upTo(3)) outbox.push(reading(of, sequence));
    expect(outbox.log).toEqual(["queue in flash: no flash"]);
    expect([outbox.length(), outbox.drops()]).toEqual([2, 1]);
  });
});
