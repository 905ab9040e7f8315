import { describe, expect, it } from "vitest";
import { createSensor as createBme280 } from "../../../firmware/sensors/bme280.ts";
import { createSensor as createBmp280 } from "../../../firmware/sensors/bmp280.ts";
import { type BoschFaults, createBoschModel } from "../../../simulator/i2c/bosch-model.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { type I2cFault, i2cOf, outcomesOf } from "../../support/sensor-bench.ts";

type Chip = "bmp280" | "bme280";
const CREATE = { bmp280: createBmp280, bme280: createBme280 };
const AIR = { celsius: 21.37, relativeHumidity: 48.25, pascal: 98765 };

interface Options {
  air?: typeof AIR;
  faults?: BoschFaults;
  fault?: I2cFault | undefined;
  config?: { address?: number };
  at?: number;
}

function bench(chip: Chip, options: Options = {}) {
  const clock = createManualClock();
  const faults = options.faults ?? {};
  const now = () => clock.uptime() * 1000;
  const environment = () => options.air ?? AIR;
  const model = createBoschModel({ chip, environment, now, faults });
  clock.advance(1);
  const bus = i2cOf(options.at ?? 0x76, model, options.fault);
  const sensor = CREATE[chip]({ i2c: bus.i2c, clock }, options.config ?? {});
  return { clock, faults, sensor, model, bytes: bus.bytes, read: () => outcomesOf(sensor, clock) };
}

describe.each<Chip>(["bmp280", "bme280"])("%s driver", (chip) => {
  const hasHumidity = chip === "bme280";

  it.each([
    [21.37, 98765, 48.25],
    [0, 101325, 0],
    [-39.9, 30010, 99.5],
    [84.9, 109990, 10],
  ])("reads %d degrees, %d pascals, %d percent", (celsius, pascal, relativeHumidity) => {
    const [outcome] = bench(chip, { air: { celsius, pascal, relativeHumidity } }).read();
    expect(outcome?.code).toBeUndefined();
    const [t = 0, p = 0, h] = outcome?.values ?? [];
    expect(Math.abs(t - celsius * 100)).toBeLessThanOrEqual(1);
    expect(Math.abs(p - pascal)).toBeLessThanOrEqual(2);
    if (!hasHumidity) expect(h).toBeUndefined();
    // The integer form drops fractions of the chip's slope: the datasheet has 0.008 % a step.
    else expect(Math.abs((h as number) - relativeHumidity * 100)).toBeLessThanOrEqual(8);
    expect(outcome?.values.every((value) => Number.isInteger(value))).toBe(true);
  });

  it("names its quantities in SenML's units", () => {
    const named = bench(chip).sensor.quantities.map(({ name, unit }) => `${name} ${unit}`);
    const expected = ["temperature Cel", "pressure Pa", "humidity %RH"];
    const list = hasHumidity ? expected : expected.slice(0, 2);
    expect(named).toEqual(list);
  });

  it("uses the address it is given", () => {
    expect(bench(chip, { config: { address: 0x77 }, at: 0x77 }).read()[0]?.code).toBeUndefined();
    expect(bench(chip, { config: { address: 0x77 }, at: 0x76 }).read()).toEqual([
      { code: "no-acknowledge", values: [] },
    ]);
  });

  it.each<[string, BoschFaults, string]>([
    ["absent", { absent: true }, "no-acknowledge"],
    ["another chip", { id: 0x61 }, "identity"],
    ["stuck busy", { stuckBusy: true }, "state"],
    ["reset while it measures", { dips: true }, "state"],
  ])("reports a sensor that is %s, once, and its return", (_, faults, code) => {
    const parts = bench(chip, { faults });
    expect(parts.read()).toEqual([{ code, values: [] }]);
    for (const key of Object.keys(faults)) delete faults[key as keyof BoschFaults];
    faults.id = hasHumidity ? 0x60 : 0x58;
    expect(parts.read()[0]?.code).toBeUndefined();
  });

  it.each([
    [-41, 100000],
    [86, 100000],
    [20, 29000],
    [20, 111000],
  ])("refuses what it cannot have measured: %d degrees, %d pascals", (celsius, pascal) => {
    const outcomes = bench(chip, { air: { celsius, pascal, relativeHumidity: 50 } }).read();
    expect(outcomes).toEqual([{ code: "range", values: [] }]);
  });

  it("reads the calibration once", () => {
    const parts = bench(chip);
    parts.read();
    const first = parts.bytes();
    parts.read();
    expect(parts.bytes() - first).toBeLessThan(first / 2);
  });

  it("reports a bus that fails at any byte, and reads on afterwards", () => {
    const whole = bench(chip);
    whole.read();
    const count = whole.bytes();
    expect(count).toBeGreaterThan(40);
    for (let at = 0; at < count; at++) {
      const parts = bench(chip, { fault: { at, kind: "no-acknowledge" } });
      expect(parts.read(), `byte ${at}`).toEqual([{ code: "no-acknowledge", values: [] }]);
      expect(parts.read()[0]?.code, `after byte ${at}`).toBeUndefined();
    }
  });

  it.each(["ones", "zeros"] as const)("never makes up what it could not measure: %s", (kind) => {
    const whole = bench(chip);
    whole.read();
    let refused = 0;
    for (let at = 0; at < whole.bytes(); at++) {
      const [outcome] = bench(chip, { fault: { at, kind } }).read();
      if (outcome?.code !== undefined) refused++;
      else {
        const [t = 0, p = 0] = outcome?.values ?? [];
        expect(t >= -4000 && t <= 8500 && p >= 30000 && p <= 110000, `byte ${at}`).toBe(true);
      }
    }
    expect(refused).toBeGreaterThan(whole.bytes() / 2);
  });

  it("has no bus on a board without one", () => {
    const clock = createManualClock();
    const sensor = CREATE[chip]({ i2c: undefined, clock }, {});
    expect(outcomesOf(sensor, clock)).toEqual([{ code: "no-acknowledge", values: [] }]);
  });
});
