import { describe, expect, it } from "vitest";
import { startHealth } from "../../firmware/health.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { MAX_RECORDS, parseSenml } from "../../protocol/senml.ts";
import { createServiceBench } from "../support/service-bench.ts";

const NOW = 1_700_000_000;
const EVERYTHING = {
  boots: 2,
  reset: 3,
  variables: 2100,
  heap: 120000,
  queue: 4,
  dropped: 5,
  sessions: 2,
  reconnects: 6,
  rssi: -61,
  refused: 7,
  malformed: 8,
  errors: 9,
  uptime: 61,
};

function createBench() {
  const bench = createServiceBench();
  bench.clock.advance(61.5);
  return bench;
}

/** The first record that a device sends. */
function makeHealth(bench: ReturnType<typeof createBench>): Bytes {
  startHealth(bench.service, bench.device, undefined);
  return bench.packs[0] as Bytes;
}

const valuesOf = (pack: Bytes) =>
  Object.fromEntries(parseSenml(pack).map(({ name, value }) => [name, value]));

describe("the health record", () => {
  it("is one SenML pack of all that the board has", () => {
    const records = parseSenml(makeHealth(createBench()));
    expect(records.length).toBeLessThanOrEqual(MAX_RECORDS);
    expect(Object.fromEntries(records.map(({ name, value }) => [name, value]))).toEqual(EVERYTHING);
    const units = Object.fromEntries(records.map(({ name, unit }) => [name, unit]));
    expect(units).toMatchObject({ uptime: "s", heap: "B", rssi: "dBm", queue: "count" });
  });

  it("carries the time where it is known, and the uptime still once", () => {
    const bench = createBench();
    bench.clockTime.unix = NOW;
    const records = parseSenml(makeHealth(bench));
    expect(records.every(({ time }) => time === NOW)).toBe(true);
    expect(Object.fromEntries(records.map(({ name, value }) => [name, value]))).toEqual(EVERYTHING);
    expect(records.length).toBe(Object.keys(EVERYTHING).length);
  });

  it("leaves out what the board does not have", () => {
    const bench = createBench();
    bench.service.system.esp32 = undefined;
    bench.service.system.wifi = undefined;
    const { heap, rssi, ...rest } = EVERYTHING;
    expect(valuesOf(makeHealth(bench))).toEqual(rest);
  });
});

describe("health records", () => {
  it("are sent at once and every period", () => {
    const bench = createBench();
    startHealth(bench.service, bench.device, 2);
    expect(bench.packs.length).toBe(1);
    bench.clock.advance(4 * 3600);
    expect(bench.packs.length).toBe(3);
    expect(valuesOf(bench.packs[2] as Bytes).uptime).toBe(4 * 3600 + 61);
  });

  it("are sent once a day where the board file says nothing", () => {
    const bench = createBench();
    startHealth(bench.service, bench.device, undefined);
    bench.clock.advance(86399);
    expect(bench.packs.length).toBe(1);
    bench.clock.advance(1);
    expect(bench.packs.length).toBe(2);
  });

  it("that cannot be sent are reported, and the next comes in its time", () => {
    const bench = createBench();
    let isFailing = true;
    bench.device.sendEvent = (pack) => {
      if (isFailing) throw new Error("no session");
      bench.packs.push(pack);
    };
    startHealth(bench.service, bench.device, 1);
    expect(bench.lines).toEqual(["health record: no session"]);
    isFailing = false;
    bench.clock.advance(3600);
    expect(bench.packs.length).toBe(1);
  });
});
