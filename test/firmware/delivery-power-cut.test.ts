import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AWAIT_PUBCOMP, AWAIT_PUBREC } from "../../firmware/mqtt/inflight.ts";
import { FIRST_KEPT_ID } from "../../firmware/mqtt/session-state.ts";
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import { parseSequencedEncrypt0 } from "../../protocol/cose/encrypt0.ts";
import { MESSAGE_HASH_LENGTH } from "../../protocol/cose/sign1.ts";
import type { OpenedSession } from "../../protocol/session-message.ts";
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

describe("delivery over a power cut", () => {
  const payload = (number: number) => bytes(String.fromCharCode(0x80 + number));
  const FLASH = { queueLimit: 2, flash: 100, spillSeconds: 60 };

  /** The same device after the power was gone: what lay in memory is lost, handles too. */
  function reboot(options: Parameters<typeof createDeliveryBench>[1] = FLASH) {
    crypto.close();
    crypto = openStandIn(join(directory, "keys"));
    const bench = createDeliveryBench(crypto, options);
    bench.delivery.start();
    return bench;
  }

  /** The broker takes, the cloud opens and receipts session messages until there is none. */
  function receiptSessions(bench: ReturnType<typeof createDeliveryBench>, known?: OpenedSession) {
    const opened: OpenedSession[] = [];
    for (let sent = bench.sent[0]; sent?.messageClass === "session"; sent = bench.sent[0]) {
      bench.take().acknowledge();
      opened.push(bench.openSession(sent.message));
      const newest = opened.concat(known ?? []).reduce((a, b) => (a.counter > b.counter ? a : b));
      bench.deliver(bench.receipt(newest, UNIX, [bench.hashOf(sent.message)], []));
    }
    return opened;
  }

  it("keeps nothing of an event whose receipt was faster than the broker's word", () => {
    const { delivery, take, receipt, deliver, session } = streaming();
    delivery.event(bytes("\x80"));
    const event = take();
    event.kept?.keep(AWAIT_PUBREC);
    // SPEC.md, "What the device keeps": the hash stands behind five bytes and the counter.
    const record = crypto.readRecord("e0") as Bytes;
    const hashAt = 5 + record.charCodeAt(4);
    const hash = record.substring(hashAt, hashAt + MESSAGE_HASH_LENGTH) as Bytes;
    deliver(receipt(session, UNIX, [hash], []));
    expect(crypto.readRecord("e0")).toBeUndefined();
    event.kept?.keep(AWAIT_PUBCOMP);
    expect(crypto.readRecord("e0")).toBeUndefined();
  });

  it("gives MQTT back what was in flight, byte for byte, with packet id and phase", () => {
    const first = createDeliveryBench(crypto, FLASH);
    first.delivery.start();
    first.delivery.accept(bytes("\x80"), 1, "oldest");
    first.clock.advance(61);
    const sent = first.take();
    expect(sent.kept).toMatchObject({ phase: 0 });
    sent.kept?.keep(48);
    const second = reboot();
    expect(second.handedBack).toEqual([
      { messageClass: "session", message: sent.message, packetId: FIRST_KEPT_ID + 1, phase: 48 },
    ]);
  });

  it("goes on under the packet id that stands in the record, whoever chose it", () => {
    const first = createDeliveryBench(crypto, FLASH);
    first.delivery.start();
    first.delivery.accept(bytes("\x80"), 1, "oldest");
    first.clock.advance(61);
    first.take().kept?.keep(48);
    const record = crypto.readRecord("s0") as Bytes;
    crypto.writeRecord("s0", `${record.slice(0, 1)}\0\x4d${record.slice(3)}` as Bytes);
    expect(reboot().handedBack).toMatchObject([{ packetId: 77, phase: 48 }]);
  });

  it("gives each signed message a packet id that no other has, at every boot and repeat", () => {
    const messages = new Map<unknown, string>();
    let sends = 0;
    for (let boot = 1; boot <= 3; boot++) {
      const bench = reboot();
      bench.delivery.event(bytes("\x80"));
      for (let round = 0; round < 2; round++) {
        for (const { kept, message, acknowledge } of bench.sent.splice(0)) {
          expect(messages.get(kept?.packetId) ?? message).toBe(message);
          messages.set(kept?.packetId, message);
          sends++;
          acknowledge();
        }
        bench.clock.advance(100);
      }
    }
    expect(messages.size).toBe(6);
    expect(sends).toBeGreaterThan(10);
  });

  it("sends the new session first, then the old one, then the old one's readings in order", () => {
    const first = streaming(FLASH);
    first.online.value = false;
    for (let i = 0; i < 5; i++) first.delivery.accept(payload(i), 1, "oldest");
    first.clock.advance(61);
    const second = reboot();
    second.delivery.accept(bytes("\x85"), 1, "oldest");
    second.delivery.pump();
    const [resumed] = second.sent.splice(0, 1);
    expect(resumed?.message).toBe(first.sessionMessage);
    resumed?.acknowledge();
    const sent = second.take();
    sent.acknowledge();
    const newer = second.openSession(sent.message);
    expect(newer.counter).toBe(2);
    second.deliver(second.receipt(newer, UNIX, [second.hashOf(sent.message)], []));
    // The first session's receipt could only be read under its lost key: it is asked for again.
    const [again] = receiptSessions(second, newer);
    expect(again?.counter).toBe(1);
    const old = second.openSession(first.sessionMessage);
    const payloads = second.sent.splice(0).map(({ message }) => {
      const parsed = parseSequencedEncrypt0(message);
      const of = parsed.sessionKid === old.kid ? old : newer;
      return [parsed.sessionKid, second.payloadOf(of, message)];
    });
    const expected = ["\x80", "\x81", "\x82", "\x83", "\x84"].map((text) => [old.kid, text]);
    expect(payloads).toEqual([...expected, [newer.kid, "\x85"]]);
  });

  it("erases a session's record once nothing needs it, and an unused one at the next boot", () => {
    const records = () =>
      ["s0", "s1", "s2", "s3"].filter((id) => crypto.readRecord(id) !== undefined);
    const first = createDeliveryBench(crypto, FLASH);
    first.delivery.start();
    expect(records()).toEqual(["s0"]);
    // Boots that sealed nothing leave nothing: readings of earlier ones keep their place.
    for (let boots = 0; boots < 10; boots++) reboot();
    expect(records().length).toBe(1);
    const last = reboot();
    last.delivery.pump();
    receiptSessions(last);
    expect(records().length).toBe(1);
  });

  it("gives up the oldest session with its readings when a fifth has readings to keep", () => {
    for (let boots = 0; boots < 6; boots++) {
      const bench = reboot();
      bench.online.value = false;
      bench.delivery.accept(payload(boots), 1, "oldest");
      bench.clock.advance(61);
    }
    const last = reboot();
    last.delivery.pump();
    const opened = receiptSessions(last);
    expect(opened.map(({ counter }) => counter).sort()).toEqual([4, 5, 6, 7]);
    expect(last.sent.length).toBe(3);
    expect(last.delivery.losses.readings).toBe(3);
  });

  it("does not go on without a record: a store that fails opens no session and sends none", () => {
    const bench = streaming();
    const write = crypto.writeRecord;
    crypto.writeRecord = () => {
      throw new Error("store");
    };
    expect(() => bench.delivery.rekey()).toThrow("store");
    crypto.writeRecord = write;
    bench.delivery.accept(bytes("\x80"), 1, "oldest");
    expect(parseSequencedEncrypt0(bench.take().message).sessionKid).toBe("\x01");
    bench.delivery.rekey();
    expect(bench.take().messageClass).toBe("session");
  });

  it("gives up an old session that the cloud never takes, so that newer readings go out", () => {
    const first = createDeliveryBench(crypto, FLASH);
    first.delivery.start();
    first.delivery.accept(bytes("\x80"), 1, "oldest");
    first.clock.advance(61);
    const second = reboot();
    second.delivery.accept(bytes("\x81"), 1, "oldest");
    second.delivery.pump();
    let delivered = false;
    for (let hour = 0; hour < 24 * 20 && !delivered; hour++) {
      for (const sent of second.sent.splice(0)) {
        sent.acknowledge();
        if (sent.messageClass === "reading") delivered = true;
        const session = sent.messageClass === "session" && second.openSession(sent.message);
        if (session && session.counter > 1)
          second.deliver(second.receipt(session, UNIX, [second.hashOf(sent.message)], []));
      }
      second.clock.advance(3600);
    }
    expect(delivered).toBe(true);
    expect(second.log).toContain("session 1 is not taken, given up");
  });
});
