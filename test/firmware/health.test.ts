import { describe, expect, it } from "vitest";
import { sendHealth } from "../../firmware/health.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { MAX_RECORDS, parseSenml } from "../../protocol/senml.ts";
import { createServiceBench, FIRST_SESSION, SEQUENCE, SESSION } from "../support/service-bench.ts";

const EVERYTHING = {
  "boot-uptime": 61,
  "boot-first": FIRST_SESSION,
  "boot-session": SESSION,
  "boot-sequence": SEQUENCE,
  boots: 2,
  reset: 3,
  variables: 2100,
  heap: 120000,
  rssi: -61,
  queue: 4,
  dropped: 5,
  "events-dropped": 1,
  sessions: 2,
  reconnects: 6,
  refused: 17,
  errors: 10,
};

function createBench() {
  const bench = createServiceBench();
  bench.clock.advance(61.5);
  return bench;
}

function sent(bench: ReturnType<typeof createBench>) {
  sendHealth(bench.service, bench.device);
  expect(bench.packs.length).toBe(1);
  return parseSenml(bench.packs[0] as Bytes);
}

const valuesOf = (records: ReturnType<typeof sent>) =>
  Object.fromEntries(records.map(({ name, value }) => [name, value]));

describe("the health record", () => {
  it("is one SenML pack of all that the board has, and fills it", () => {
    const records = sent(createBench());
    expect(records.length).toBe(MAX_RECORDS);
    expect(valuesOf(records)).toEqual(EVERYTHING);
    const units = Object.fromEntries(records.map(({ name, unit }) => [name, unit]));
    expect(units).toMatchObject({ "boot-uptime": "s", heap: "B", rssi: "dBm", queue: "count" });
  });

  it("ties seconds since boot to Unix time, for the session at hand", () => {
    const bench = createBench();
    const records = sent(bench);
    expect(records.every(({ time }) => time === bench.cloud.unix)).toBe(true);
  });

  it("leaves out what the board does not have", () => {
    const bench = createBench();
    bench.service.system.esp32 = undefined;
    bench.service.system.wifi = undefined;
    const { heap, rssi, ...rest } = EVERYTHING;
    expect(valuesOf(sent(bench))).toEqual(rest);
  });

  it("is none before there is a session", () => {
    const bench = createBench();
    bench.device.delivery = undefined;
    sendHealth(bench.service, bench.device);
    expect([bench.packs, bench.lines]).toEqual([[], []]);
  });

  it("that cannot be sent is reported, and ends nothing", () => {
    const bench = createBench();
    Object.assign(bench.device.delivery as object, {
      event() {
        throw new Error("no counter");
      },
    });
    sendHealth(bench.service, bench.device);
    expect(bench.lines).toEqual(["health record: no counter"]);
  });
});
