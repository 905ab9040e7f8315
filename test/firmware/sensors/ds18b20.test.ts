import { describe, expect, it } from "vitest";
import type { OneWire } from "../../../firmware/ports.ts";
import { createSensor } from "../../../firmware/sensors/ds18b20.ts";
import {
  createDs18b20Model,
  type Ds18b20Faults,
} from "../../../simulator/one-wire/ds18b20-model.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { outcomesOf } from "../../support/sensor-bench.ts";

const ROM = "28ff641e02160380";

interface Options {
  celsius?: number;
  faults?: Ds18b20Faults;
  isParasite?: boolean;
  config?: { rom?: string; parasite?: boolean };
  /** The byte read, from 0, from which on nobody pulls the line. */
  silentFrom?: number;
}

function bench(options: Options = {}) {
  const clock = createManualClock();
  const model = createDs18b20Model({
    environment: () => ({ celsius: options.celsius ?? 21.37, relativeHumidity: 50 }),
    now: () => clock.uptime() * 1000,
    faults: options.faults ?? {},
    isParasite: options.isParasite ?? false,
  });
  let reads = 0;
  const wire: OneWire = {
    reset: model.reset,
    skip: () => model.write(0xcc, false),
    select(rom) {
      model.reset();
      for (const byte of [0x55, ...Buffer.from(rom, "hex")]) model.write(byte, false);
    },
    write(data, power) {
      const bytes = typeof data === "number" ? [data] : data;
      for (const [i, byte] of bytes.entries()) model.write(byte, power && i === bytes.length - 1);
    },
    read: (count) =>
      Array.from({ length: count }, () => {
        const byte = model.read();
        return reads++ < (options.silentFrom ?? Number.POSITIVE_INFINITY) ? byte : 0xff;
      }),
  };
  const pins: string[] = [];
  const openOneWire = (pin: string) => {
    pins.push(pin);
    return wire;
  };
  const sensor = createSensor({ clock, openOneWire }, { pin: "D4", ...options.config });
  return { clock, sensor, pins, read: () => outcomesOf(sensor, clock) };
}

describe("DS18B20 driver", () => {
  it.each([
    // The datasheet's table of temperatures, and halves of a hundredth beside zero.
    [125, 12500],
    [85, 8500],
    [25.0625, 2506],
    [10.125, 1013],
    [0.5, 50],
    [0, 0],
    [-0.5, -50],
    [-10.125, -1012],
    [-25.0625, -2506],
    [-55, -5500],
  ])("reads %d degrees", (celsius, hundredths) => {
    expect(bench({ celsius }).read()).toEqual([{ code: undefined, values: [hundredths] }]);
  });

  it("is on its pin", () => {
    const { pins, sensor } = bench();
    expect(pins).toEqual(["D4"]);
    expect(sensor.quantities).toEqual([{ name: "temperature", unit: "Cel", exponent: -2 }]);
  });

  it("blocks nothing while it converts", () => {
    const { sensor, clock } = bench();
    let calls = 0;
    sensor.read(() => calls++);
    clock.advance(0.7);
    expect(calls).toBe(0);
    clock.advance(0.1);
    expect(calls).toBe(1);
  });

  it("asks for one of several by its ROM code", () => {
    expect(bench({ config: { rom: ROM } }).read()[0]?.values).toEqual([2138]);
    expect(bench({ config: { rom: "28aaaaaaaaaaaa00" } }).read()[0]?.code).toBe("crc");
  });

  it("drives the line for one that lives on it", () => {
    const celsius = 30;
    const parasite = { celsius, isParasite: true, config: { parasite: true } };
    expect(bench(parasite).read()[0]?.values).toEqual([3000]);
    // Without power nothing is converted; what it held before is still there.
    expect(bench({ celsius, isParasite: true }).read()[0]?.values).toEqual([8500]);
  });

  it.each<[string, Ds18b20Faults, string]>([
    ["absent", { absent: true }, "no-acknowledge"],
    ["disturbed", { wrongCrc: true }, "crc"],
    ["without power for a moment", { dips: true }, "state"],
    ["held low", { shorted: true }, "state"],
  ])("reports one that is %s, once, and its return", (_, faults, code) => {
    const { read } = bench({ faults });
    expect(read()).toEqual([{ code, values: [] }]);
    for (const key of Object.keys(faults)) delete faults[key as keyof Ds18b20Faults];
    expect(read()).toEqual([{ code: undefined, values: [2138] }]);
  });

  it.each([126, -56])("refuses %d degrees, which it cannot measure", (celsius) => {
    expect(bench({ celsius }).read()).toEqual([{ code: "range", values: [] }]);
  });

  it("reports one that is unplugged at any byte", () => {
    for (let silentFrom = 0; silentFrom < 9; silentFrom++)
      expect(bench({ silentFrom }).read(), `byte ${silentFrom}`).toEqual([
        { code: "crc", values: [] },
      ]);
  });

  it("reports one that is unplugged while it converts", () => {
    const faults: Ds18b20Faults = {};
    const { sensor, clock } = bench({ faults });
    const codes: unknown[] = [];
    sensor.read((error) => codes.push((error as { code?: string } | undefined)?.code));
    faults.absent = true;
    clock.advance(1);
    expect(codes).toEqual(["no-acknowledge"]);
  });
});
