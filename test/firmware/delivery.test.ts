import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isSpent, type Session } from "../../firmware/session.ts";
import { bytes, toHex } from "../../protocol/bytes.ts";
import { parseSequencedEncrypt0 } from "../../protocol/cose/encrypt0.ts";
import { openStandIn } from "../../simulator/devcrypto/stand-in.ts";
import { createDeliveryBench } from "../support/delivery-bench.ts";

const UNIX = 1_700_000_000;

let directory: string;
let crypto: ReturnType<typeof openStandIn>;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "coseflow-delivery-"));
  crypto = openStandIn(join(directory, "keys"));
});
afterEach(() => {
  crypto.close();
  rmSync(directory, { recursive: true });
});

/** A bench whose first session has been sent, opened and receipted. */
function streaming(options: { queueLimit?: number; receiptSeconds?: number } = {}) {
  const bench = createDeliveryBench(crypto, options);
  bench.delivery.start();
  bench.delivery.pump();
  const message = bench.take();
  message.acknowledge();
  const session = bench.openSession(message.message);
  bench.deliver(bench.receipt(session, UNIX, [bench.hashOf(message.message)], []));
  return { ...bench, session, sessionMessage: message.message };
}

describe("a session that a person asks for", () => {
  it("is refused while the newest has no receipt, and opened after it", () => {
    const bench = createDeliveryBench(crypto);
    bench.delivery.start();
    expect(bench.delivery.rekey()).toBe(false);
    expect(bench.delivery.sessions()).toHaveLength(1);

    const running = streaming();
    expect(running.delivery.rekey()).toBe(true);
    expect(running.delivery.sessions()).toHaveLength(2);
    expect(running.delivery.newest()).toBe(running.delivery.sessions()[1]);
    expect(running.take().messageClass).toBe("session");
    expect(running.delivery.rekey()).toBe(false);
  });
});

describe("delivery", () => {
  it("sends the session first and its readings only after the receipt", () => {
    const bench = createDeliveryBench(crypto);
    bench.delivery.start();
    bench.delivery.accept(bytes("\x80"), 1, "oldest");
    bench.delivery.accept(bytes("\x81"), 0, "oldest");
    expect(bench.sent.map((sent) => [sent.messageClass, sent.qos])).toEqual([["session", 2]]);
    const message = bench.take();
    message.acknowledge();
    expect(bench.sent).toEqual([]);

    const session = bench.openSession(message.message);
    bench.deliver(bench.receipt(session, UNIX, [bench.hashOf(message.message)], []));
    expect(bench.sent.map((sent) => [sent.messageClass, sent.qos])).toEqual([
      ["reading", 1],
      ["reading", 0],
    ]);
    expect(toHex(bench.payloadOf(session, bench.take().message))).toBe("80");
    expect(toHex(bench.payloadOf(session, bench.take().message))).toBe("81");
  });

  it("gives sequence numbers from 1 without gaps", () => {
    const bench = streaming();
    for (let i = 0; i < 3; i++) bench.delivery.accept(bytes("\x80"), 1, "oldest");
    const sequences = bench.sent.map((sent) => parseSequencedEncrypt0(sent.message).sequence);
    expect(sequences).toEqual([1, 2, 3]);
  });

  it("holds messages back while MQTT takes none, and sends them on pump", () => {
    const bench = streaming();
    bench.online.value = false;
    bench.delivery.accept(bytes("\x80"), 1, "oldest");
    expect(bench.sent).toEqual([]);
    bench.online.value = true;
    bench.delivery.pump();
    expect(bench.sent.length).toBe(1);
  });

  it("knows the time after a receipt, and an older receipt does not set it back", () => {
    const bench = createDeliveryBench(crypto);
    bench.delivery.start();
    bench.delivery.pump();
    expect(bench.delivery.time()).toBeUndefined();
    const session = bench.openSession(bench.take().message);
    const old = bench.receipt(session, UNIX - 500, [], []);
    bench.deliver(bench.receipt(session, UNIX, [], []));
    bench.clock.advance(10);
    expect(bench.delivery.time()).toBe(UNIX + 10);
    bench.deliver(old);
    expect(bench.delivery.time()).toBe(UNIX + 10);
    // A device clock that runs fast is put right by the next receipt.
    bench.deliver(bench.receipt(session, UNIX + 8, [], []));
    expect(bench.delivery.time()).toBe(UNIX + 8);
  });

  it("sends session and readings again, byte for byte, when no receipt comes", () => {
    const bench = streaming({ receiptSeconds: 60 });
    bench.delivery.accept(bytes("\x80"), 1, "oldest");
    const first = bench.take();
    first.acknowledge();
    bench.clock.advance(44);
    expect(bench.sent).toEqual([]);
    bench.clock.advance(32);
    const again = bench.take();
    expect([again.messageClass, again.message]).toEqual(["session", bench.sessionMessage]);
    expect(bench.sent).toEqual([]);
    again.acknowledge();
    bench.deliver(bench.receipt(bench.session, UNIX, [bench.hashOf(again.message)], []));
    expect(bench.take().message).toBe(first.message);
  });

  it("sends a lost reading again while receipts of others keep coming", () => {
    const bench = streaming({ receiptSeconds: 60 });
    bench.clock.advance(1);
    bench.delivery.accept(bytes("\x80"), 1, "oldest");
    const lost = bench.take();
    lost.acknowledge();
    let again = 0;
    for (let second = 0; second < 600; second += 2) {
      bench.clock.advance(2);
      bench.delivery.accept(bytes("\x81"), 1, "oldest");
      for (const sent of bench.sent.splice(0)) {
        if (sent.message === lost.message) again++;
        sent.acknowledge();
        if (sent.messageClass !== "reading" || sent.message === lost.message) continue;
        const { sequence } = parseSequencedEncrypt0(sent.message);
        const range = { sessionKid: bench.session.kid, first: sequence, last: sequence };
        bench.deliver(bench.receipt(bench.session, UNIX, [], [range]));
      }
    }
    // Every 45 to 75 seconds; its session, alive, is not sent again.
    expect(again).toBeGreaterThanOrEqual(7);
    expect(again).toBeLessThanOrEqual(14);
  });

  it("is not kept from repeating by an old receipt that comes again and again", () => {
    const bench = streaming({ receiptSeconds: 60 });
    const old = bench.receipt(bench.session, UNIX, [], []);
    bench.delivery.accept(bytes("\x80"), 1, "oldest");
    bench.take().acknowledge();
    for (let second = 0; second < 100; second += 20) {
      bench.clock.advance(20);
      bench.deliver(old);
    }
    expect(bench.sent.length).toBeGreaterThan(0);
  });

  it("does not double what is still with MQTT", () => {
    const bench = streaming({ receiptSeconds: 60 });
    bench.delivery.accept(bytes("\x80"), 1, "oldest");
    bench.delivery.accept(bytes("\x81"), 1, "oldest");
    bench.take().acknowledge();
    const stuck = bench.take();
    bench.clock.advance(80);
    const session = bench.take();
    session.acknowledge();
    bench.deliver(bench.receipt(bench.session, UNIX, [bench.hashOf(session.message)], []));
    expect(bench.sent.map((sent) => sent.message)).not.toContain(stuck.message);
  });

  it("stops repeating once everything sent is receipted", () => {
    const bench = streaming();
    bench.delivery.accept(bytes("\x80"), 1, "oldest");
    bench.take().acknowledge();
    bench.deliver(
      bench.receipt(
        bench.session,
        UNIX,
        [],
        [{ sessionKid: bench.session.kid, first: 1, last: 1 }],
      ),
    );
    bench.clock.advance(100_000);
    expect(bench.sent).toEqual([]);
  });

  it("waits longer each time, and tries one new session after eight repeats", () => {
    const bench = createDeliveryBench(crypto);
    bench.delivery.start();
    bench.delivery.pump();
    const first = bench.take();
    first.acknowledge();
    const times: number[] = [];
    const kids: string[] = [];
    for (let hours = 0; hours < 24 * 4; hours++) {
      bench.clock.advance(3600);
      for (const sent of bench.sent.splice(0)) {
        times.push(bench.clock.uptime());
        kids.push(toHex(bench.openSession(sent.message).kid));
        sent.acknowledge();
      }
    }
    // Seven repeats of session 1, the eighth with session 2, then both once a day.
    expect(kids.filter((kid) => kid === "02").length).toBeGreaterThan(1);
    expect(new Set(kids)).toEqual(new Set(["01", "02"]));
    const days = times.slice(-2);
    expect((days[1] as number) - (times[0] as number)).toBeGreaterThan(86400 * 2);
  });

  it("opens a new session after a day, keeps the old one while a reading needs it", () => {
    const bench = streaming();
    bench.delivery.accept(bytes("\x80"), 1, "oldest");
    const old = bench.take();
    bench.clock.advance(86400);
    bench.sent.length = 0;
    bench.delivery.accept(bytes("\x81"), 1, "oldest");
    const next = bench.sent.filter((sent) => sent.messageClass === "session").map((s) => s.message);
    const opened = bench.openSession(next[next.length - 1] as typeof old.message);
    expect(toHex(opened.kid)).toBe("02");
  });

  it("refuses a receipt with any bit changed and keeps its queue", () => {
    const bench = streaming();
    bench.delivery.accept(bytes("\x80"), 1, "oldest");
    bench.take().acknowledge();
    const receipt = bench.receipt(
      bench.session,
      UNIX,
      [],
      [{ sessionKid: bench.session.kid, first: 1, last: 1 }],
    );
    const queued = () => {
      bench.clock.advance(100);
      const count = bench.sent.length;
      for (const sent of bench.sent.splice(0)) sent.acknowledge();
      return count;
    };
    for (let at = 0; at < receipt.length; at++) {
      const changed =
        receipt.substring(0, at) +
        String.fromCharCode(receipt.charCodeAt(at) ^ 1) +
        receipt.substring(at + 1);
      try {
        bench.deliver(bytes(changed));
      } catch {
        // Most changes throw; a changed session key id names no session and is passed over.
      }
    }
    expect(queued()).toBeGreaterThan(0);
  });

  it("drops the oldest reading of a full queue and says so", () => {
    const bench = streaming({ queueLimit: 2 });
    bench.online.value = false;
    for (let i = 0; i < 5; i++) bench.delivery.accept(bytes("\x80"), 1, "oldest");
    expect(bench.delivery.losses.readings).toBe(3);
    expect(bench.log.filter((line) => line.includes("queue full, oldest")).length).toBe(3);
  });

  it("gives back the keys of every session that nothing needs any more", () => {
    const bench = streaming();
    // The module has 16 slots; two keys for each session would fill them after seven.
    for (let i = 0; i < 20; i++) {
      bench.delivery.rekey();
      const message = bench.take();
      message.acknowledge();
      const session = bench.openSession(message.message);
      bench.deliver(bench.receipt(session, UNIX, [bench.hashOf(message.message)], []));
    }
    expect(bench.log.filter((line) => line.includes("is receipted")).length).toBe(21);
  });

  it("keeps an unreceipted session, however old, and closes one at its last sequence number", () => {
    const session = { lastSequence: 5, receipted: false, openedAt: 0 } as Session;
    expect(isSpent(session, 10 * 86400, 86400, 1)).toBe(false);
    expect(isSpent({ ...session, receipted: true }, 86399, 86400, 1)).toBe(false);
    expect(isSpent({ ...session, lastSequence: 2 ** 20 }, 0, 86400, 1)).toBe(true);
    // One place is for the next boot.
    expect(isSpent({ ...session, receipted: true }, 86400, 86400, 3)).toBe(false);
    expect(isSpent({ ...session, lastSequence: 2 ** 20 }, 0, 86400, 4)).toBe(true);
  });

  it("never holds more keys than the module has slots, though each session has readings that wait", () => {
    const bench = streaming({ queueLimit: 64 });
    for (let i = 0; i < 12; i++) {
      bench.delivery.accept(bytes("\x80"), 1, "oldest");
      expect(bench.delivery.rekey()).toBe(true);
      const message = bench.sent.find(({ messageClass }) => messageClass === "session");
      bench.sent.length = 0;
      if (!message) throw new Error("session message, expected one, got none");
      message.acknowledge();
      const session = bench.openSession(message.message);
      bench.deliver(bench.receipt(session, UNIX, [bench.hashOf(message.message)], []));
    }
    expect(bench.delivery.losses.readings).toBeGreaterThan(0);
  });
});
