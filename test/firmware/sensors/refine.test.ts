import { describe, expect, it } from "vitest";
import type { SensorConfig } from "../../../firmware/config.ts";
import { refine } from "../../../firmware/sensors/refine.ts";
import { failureNumber, type Sensor, sensorError } from "../../../firmware/sensors/sensor.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { type Outcome, outcomesOf } from "../../support/sensor-bench.ts";

const BASE: SensorConfig = { driver: "test", periodSeconds: 10, qos: 1 };

/** A sensor of two quantities that reads what it is told; undefined: it fails. */
function bench(config: Partial<SensorConfig>, ...readings: ([number, number] | undefined)[]) {
  const clock = createManualClock();
  let reads = 0;
  const sensor: Sensor = {
    quantities: [
      { name: "temperature", unit: "Cel", exponent: -2 },
      { name: "humidity", unit: "%RH", exponent: -1 },
    ],
    read(done) {
      const values = readings[reads++];
      if (values === undefined) done(sensorError("crc", "test"), []);
      else done(undefined, values);
    },
  };
  const refined = refine(sensor, { ...BASE, ...config }, clock);
  return {
    clock,
    read: () => outcomesOf(refined, clock)[0] as Outcome,
    reads: () => reads,
    names: () => refined.quantities.map(({ name }) => name),
  };
}

const good = (...values: number[]): Outcome => ({ code: undefined, values });
const bad = (code: string): Outcome => ({ code, values: [] });

it("leaves a sensor alone of which nothing is asked", () => {
  expect(bench({}, [1, 2]).read()).toEqual(good(1, 2));
});

it("gives values the sensor's own name, while the board file's maps keep theirs", () => {
  const range = { temperature: { min: 0, max: 1 } };
  const parts = bench({ name: "attic", range }, [200, 0]);
  expect(parts.names()).toEqual(["attic-temperature", "attic-humidity"]);
  expect(parts.read()).toEqual(bad("range"));
  const only: Sensor = {
    quantities: [{ name: "temperature", unit: "Cel", exponent: -2 }],
    read: (done) => done(undefined, [1]),
  };
  expect(refine(only, { ...BASE, name: "boiler" }, parts.clock).quantities).toEqual([
    { name: "boiler", unit: "Cel", exponent: -2 },
  ]);
});

describe("range", () => {
  const range = { temperature: { min: -20, max: 60.5 } };

  it.each([
    [[-2000, 5000], undefined],
    [[6050, -1], undefined],
    [[-2001, 500], "range"],
    [[6051, 500], "range"],
  ] as [[number, number], string | undefined][])("judges %o", (values, code) => {
    expect(bench({ range }, values).read()).toEqual(code ? bad(code) : good(...values));
  });

  it("passes a failure on", () => {
    expect(bench({ range }, undefined).read()).toEqual(bad("crc"));
  });
});

describe("average", () => {
  it("is the mean of so many, halves upward, below zero too", () => {
    expect(bench({ average: 2 }, [1, -1], [2, -2]).read()).toEqual(good(2, -1));
    const three = bench({ average: 3 }, [10, 0], [20, 0], [31, 1]);
    expect(three.read()).toEqual(good(20, 0));
    expect(three.reads()).toBe(3);
  });

  it("fails with any of them, and takes no more", () => {
    const parts = bench({ average: 3 }, [1, 1], undefined, [1, 1]);
    expect(parts.read()).toEqual(bad("crc"));
    expect(parts.reads()).toBe(2);
  });

  it("judges each sample by the range", () => {
    const range = { humidity: { min: 0, max: 100 } };
    expect(bench({ average: 2, range }, [0, 0], [0, 1001]).read()).toEqual(bad("range"));
  });
});

describe("report on change", () => {
  const deadband = { temperature: 0.5 };

  it("says nothing within the dead band of what was sent last", () => {
    const parts = bench({ deadband }, [2000, 0], [2050, 900], [2051, 1], [2002, 1], [2000, 2]);
    const outcomes = Array.from({ length: 5 }, parts.read);
    expect(outcomes).toEqual([good(2000, 0), good(), good(2051, 1), good(), good(2000, 2)]);
  });

  it("says something after the heartbeat in any case", () => {
    const parts = bench({ deadband, heartbeatSeconds: 100 }, [0, 0], [0, 1], [0, 2], [0, 3]);
    expect(parts.read()).toEqual(good(0, 0));
    parts.clock.advance(90);
    expect(parts.read()).toEqual(good());
    parts.clock.advance(10);
    expect(parts.read()).toEqual(good(0, 2));
    expect(parts.read()).toEqual(good());
  });

  it("tells each failure, and what comes after it", () => {
    const parts = bench({ deadband }, [0, 0], undefined, undefined, [0, 0], [0, 0]);
    const outcomes = Array.from({ length: 5 }, parts.read);
    expect(outcomes).toEqual([good(0, 0), bad("crc"), bad("crc"), good(0, 0), good()]);
  });
});

it("numbers failures as the event has them", () => {
  const codes = ["no-acknowledge", "crc", "unreadable", "identity", "state", "range"] as const;
  expect(codes.map((code) => failureNumber(sensorError(code, "")))).toEqual([1, 2, 3, 4, 5, 6]);
  expect(failureNumber(new Error("a driver's own"))).toBe(7);
});
