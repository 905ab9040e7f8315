import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepLosses, type Losses, openLosses } from "../../firmware/losses.ts";
import { restart } from "../../firmware/service-state.ts";
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import { parseSequencedEncrypt0 } from "../../protocol/cose/encrypt0.ts";
import { openStandIn } from "../../simulator/devcrypto/stand-in.ts";
import { createDeliveryBench } from "../support/delivery-bench.ts";
import { createServiceBench } from "../support/service-bench.ts";

const UNIX = 1_700_000_000;

let directory: string;
let crypto: ReturnType<typeof openStandIn>;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "coseflow-losses-"));
  crypto = openStandIn(join(directory, "keys"));
});
afterEach(() => {
  crypto.close();
  rmSync(directory, { recursive: true });
});

/** A bench whose first session has been sent, opened and receipted. */
function streaming(options: Parameters<typeof createDeliveryBench>[1] = {}) {
  const bench = createDeliveryBench(crypto, options);
  bench.delivery.start();
  bench.delivery.pump();
  const { message, acknowledge } = bench.take();
  acknowledge();
  const session = bench.openSession(message);
  bench.deliver(bench.receipt(session, UNIX, [bench.hashOf(message)], []));
  return { ...bench, session };
}

describe("events that are too many", () => {
  it("keeps four events that no receipt lists, and counts those that give way", () => {
    const bench = streaming();
    bench.online.value = false;
    for (let number = 0; number < 6; number++)
      bench.delivery.event(bytes(String.fromCharCode(0x80 + number)));
    const records = ["e0", "e1", "e2", "e3", "e4"].map((id) => crypto.readRecord(id) !== undefined);
    expect(records).toEqual([true, true, true, true, false]);
    expect(bench.delivery.losses).toMatchObject({ readings: 0, events: 2 });
    expect(bench.log.filter((line) => line.includes("too many wait"))).toEqual([
      "event 2 dropped: too many wait",
      "event 3 dropped: too many wait",
    ]);
    bench.online.value = true;
    bench.delivery.pump();
    expect(bench.sent.map(({ messageClass }) => messageClass)).toEqual(Array(4).fill("event"));
  });

  it("counts no reply that gave way to a later one as an event", () => {
    const bench = streaming();
    for (const kid of ["\x0a", "\x0b", "\x0c"])
      bench.delivery.reply(bytes(kid), bytes("a hash of 16 by"), bytes("a reply"));
    expect(bench.delivery.losses.events).toBe(0);
  });
});

describe("readings that are lost", () => {
  it("are told of until a receipt lists the reading that told, and no other", () => {
    const bench = streaming();
    const { losses } = bench.delivery;
    const range = (sequence: number) => [
      { sessionKid: bench.session.kid, first: sequence, last: sequence },
    ];
    const take = () => parseSequencedEncrypt0(bench.take().message).sequence;
    losses.readings = 1000;
    bench.delivery.accept(bytes("\x80"), 1, "oldest");
    bench.delivery.accept(bytes("\x81"), 1, "oldest", 1000);
    losses.readings = 1001;
    expect([take(), take()]).toEqual([1, 2]);
    bench.deliver(bench.receipt(bench.session, UNIX, [], range(1)));
    expect(losses.told).toBe(0);
    bench.deliver(bench.receipt({ ...bench.session }, UNIX, [], range(3)));
    expect(losses.told).toBe(0);
    bench.deliver(bench.receipt(bench.session, UNIX, [], range(2)));
    expect(losses).toMatchObject({ readings: 1001, told: 1000 });
  });

  it("are told of by the last that tells, where the one before it is receipted first", () => {
    const bench = streaming();
    bench.delivery.accept(bytes("\x80"), 1, "oldest", 7);
    bench.delivery.accept(bytes("\x81"), 1, "oldest", 8);
    const listed = (first: number, last: number) =>
      bench.receipt(bench.session, UNIX, [], [{ sessionKid: bench.session.kid, first, last }]);
    bench.deliver(listed(1, 1));
    expect(bench.delivery.losses.told).toBe(0);
    bench.deliver(listed(1, 2));
    expect(bench.delivery.losses.told).toBe(8);
  });
});

describe("two sensors and one full queue", () => {
  const OLD = "oldest";
  const NEW = "newest";

  /** What is left of readings named by their numbers, in the order in which they go out. */
  function left(flash: number, taken: ["oldest" | "newest", number][]) {
    const bench = streaming({ queueLimit: 2, flash });
    bench.online.value = false;
    const refused = taken.flatMap(([drop, number]) =>
      bench.delivery.accept(bytes(String.fromCharCode(number)), 1, drop) ? [] : [number],
    );
    bench.online.value = true;
    const rest: number[] = [];
    for (bench.delivery.pump(); bench.sent.length > 0; ) {
      const { message } = bench.take();
      rest.push(bench.payloadOf(bench.session, message).charCodeAt(0));
      const { sequence } = parseSequencedEncrypt0(message);
      const range = { sessionKid: bench.session.kid, first: sequence, last: sequence };
      bench.deliver(bench.receipt(bench.session, UNIX, [], [range]));
    }
    return { rest, refused, lost: bench.delivery.losses.readings };
  }

  it.each([0, 3])(
    "(%d in flash) newest refuses its own, and keeps nothing safe from oldest",
    (flash) => {
      // What is in memory goes to flash in time: "newest" counts it there, "oldest" fills both.
      const room = flash || 2;
      const both = 2 + flash;
      const careful = Array.from({ length: room }, (_, at) => [NEW, 1 + at] as ["newest", number]);
      const full = left(flash, [...careful, [NEW, 50], [NEW, 51]]);
      expect(full).toEqual({
        rest: careful.map(([, number]) => number),
        refused: [50, 51],
        lost: 2,
      });

      const others = Array.from({ length: both }, (_, at) => [OLD, 100 + at] as ["oldest", number]);
      const some = others.slice(0, both - room + 2);
      const pushed = left(flash, [...careful, ...some, [NEW, 50]]);
      expect(pushed.rest).toEqual([...careful.slice(2), ...some].map(([, n]) => n));
      expect([pushed.refused, pushed.lost]).toEqual([[50], 3]);
      const gone = left(flash, [...careful, ...others]);
      expect(gone).toEqual({ rest: others.map(([, number]) => number), refused: [], lost: room });
    },
  );
});

describe("the record of losses", () => {
  const lost: Losses = { readings: 70_000, told: 255, events: 3, kept: 0 };

  function store() {
    const records = new Map<string, Bytes>();
    const lines: string[] = [];
    let writes = 0;
    const crypto = {
      readRecord: (id: string) => records.get(id),
      writeRecord(id: string, content: Bytes) {
        if (isFull) throw new Error("store full");
        writes++;
        records.set(id, content);
      },
    };
    let isFull = false;
    const log = (line: string) => lines.push(line);
    return {
      ports: { crypto, log },
      records,
      lines,
      writes: () => writes,
      setFull: (value: boolean) => {
        isFull = value;
      },
      open: () => openLosses(crypto, log),
    };
  }

  it("gives the counts back, and is written only when one of them has changed", () => {
    const { ports, open, records, writes } = store();
    const losses = { ...lost };
    keepLosses(ports, losses);
    keepLosses(ports, losses);
    expect(writes()).toBe(1);
    expect(records.get("losses")).toBe("\x01\0\x01\x11\x70\0\0\0\xff\0\0\0\x03");
    const again = open();
    expect(again).toEqual({ ...lost, kept: 70_258 });
    keepLosses(ports, again);
    again.told = 256;
    keepLosses(ports, again);
    expect(writes()).toBe(2);
    expect(open().told).toBe(256);
  });

  it("that is absent, of another version or damaged counts as none", () => {
    const { open, records } = store();
    const none = { readings: 0, told: 0, events: 0, kept: 0 };
    expect(open()).toEqual(none);
    for (const content of ["\x02\0\x01\x11\x70\0\0\0\xff\0\0\0\x03", "\x01\0\x01", ""]) {
      records.set("losses", bytes(content));
      expect(open()).toEqual(none);
    }
  });

  it("that cannot be written is tried again, and ends nothing", () => {
    const { ports, open, lines, setFull } = store();
    const losses = { ...lost };
    setFull(true);
    keepLosses(ports, losses);
    expect(lines).toEqual(["losses not kept: store full"]);
    setFull(false);
    keepLosses(ports, losses);
    expect(open().readings).toBe(70_000);
  });

  it("is written before a restart that is meant", () => {
    const { service, device, records } = createServiceBench();
    (device.delivery as NonNullable<typeof device.delivery>).losses.readings = 77;
    restart(service, 2);
    expect(openLosses(service.crypto, service.log)).toMatchObject({ readings: 77, events: 1 });
    expect([...records.keys()].sort()).toEqual(["boot", "losses"]);
  });
});
