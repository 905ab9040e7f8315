import { describe, expect, it } from "vitest";
import type { DigitalInput } from "../../../firmware/ports.ts";
import { createSensor as createAnalogue } from "../../../firmware/sensors/analogue.ts";
import { createSensor as createDigital } from "../../../firmware/sensors/digital.ts";
import { createSensor as createPulses, PULSE_WRAP } from "../../../firmware/sensors/pulses.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { outcomesOf } from "../../support/sensor-bench.ts";

const clock = createManualClock();

function input() {
  const watches: [edge: string, debounceMs: number][] = [];
  const state = { on: false, changed: () => {}, watches };
  const openInput = (): DigitalInput => ({
    isOn: () => state.on,
    watch(edge, debounceMs, changed) {
      watches.push([edge, debounceMs]);
      state.changed = changed;
    },
  });
  return { state, openInput };
}

describe("analogue input", () => {
  const read = (share: number, config: object = {}) =>
    outcomesOf(
      createAnalogue({ openAnalogue: () => () => share }, { pin: "D0", ...config }),
      clock,
    );

  it("is a share of the range where nothing else is said", () => {
    expect(read(0.25)).toEqual([{ code: undefined, values: [2500] }]);
    expect(createAnalogue({ openAnalogue: () => () => 0 }, {}).quantities).toEqual([
      { name: "level", unit: "/", exponent: -4 },
    ]);
  });

  it.each([
    [{ scale: 2.5, decimals: 3, unit: "V" }, 0.5, 1250],
    [{ scale: 100, offset: -50, decimals: 1, unit: "Cel" }, 0.25, -250],
    // A half below zero goes up, in Node and in Espruino.
    [{ scale: 1, offset: -1, decimals: 1 }, 0.75, -2],
    [{ scale: 5000, decimals: 2, unit: "Pa" }, 0.5, 250_000],
    [{ scale: -10, offset: 10, decimals: 0, unit: "m" }, 0.5, 5],
  ])("follows its line: %o", (config, share, value) => {
    expect(read(share, config)[0]?.values).toEqual([value]);
    const openAnalogue = () => () => share;
    expect(createAnalogue({ openAnalogue }, config).quantities[0]?.exponent).toBe(
      0 - config.decimals,
    );
  });

  it.each([Number.NaN, -0.1, 1.1])("reports a pin that says %d", (share) => {
    expect(read(share)).toEqual([{ code: "unreadable", values: [] }]);
  });
});

describe("digital input", () => {
  it("tells its state, and how often it changed", () => {
    const { state, openInput } = input();
    const sensor = createDigital({ openInput }, {});
    let calls = 0;
    sensor.watch?.(() => calls++);
    expect(state.watches).toEqual([["both", 50]]);
    expect(outcomesOf(sensor, clock)[0]?.values).toEqual([0, 0]);
    state.on = true;
    state.changed();
    expect(outcomesOf(sensor, clock)[0]?.values).toEqual([1, 1]);
    expect(calls).toBe(1);
    expect(sensor.quantities.map(({ name, unit }) => `${name} ${unit}`)).toEqual([
      "input /",
      "changes count",
    ]);
  });

  it("waits for a contact as long as it is told", () => {
    const { state, openInput } = input();
    createDigital({ openInput }, { debounceMs: 0 }).watch?.(() => {});
    expect(state.watches).toEqual([["both", 0]]);
  });
});

describe("pulse counter", () => {
  it("counts from reading to reading, and in all", () => {
    const { state, openInput } = input();
    const sensor = createPulses({ openInput }, { debounceMs: 5 });
    expect(state.watches).toEqual([["on", 5]]);
    const counts = [3, 0, 2].map((pulses) => {
      for (let i = 0; i < pulses; i++) state.changed();
      return outcomesOf(sensor, clock)[0]?.values;
    });
    expect(counts).toEqual([
      [3, 3],
      [0, 3],
      [2, 5],
    ]);
  });

  it("starts again below what one variable holds", () => {
    expect(PULSE_WRAP).toBe(2 ** 31);
  });
});
