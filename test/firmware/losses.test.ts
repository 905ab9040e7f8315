import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bytes } from "../../protocol/bytes.ts";
import { openStandIn } from "../../simulator/devcrypto/stand-in.ts";
import { createDeliveryBench } from "../support/delivery-bench.ts";

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
function streaming() {
  const bench = createDeliveryBench(crypto);
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
