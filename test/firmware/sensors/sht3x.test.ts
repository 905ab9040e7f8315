import { describe, expect, it } from "vitest";
import type { Clock, I2c } from "../../../firmware/ports.ts";
import type { SensorError } from "../../../firmware/sensors/sensor.ts";
import { createSensor as createSht3x } from "../../../firmware/sensors/sht3x.ts";
import type { I2cModel } from "../../../simulator/i2c/bus.ts";
import { createSht3xModel, type Sht3xFaults } from "../../../simulator/i2c/sht3x-model.ts";

/** A clock that runs only when told to, and a bus with the model at 0x44 or 0x45. */
function bench(celsius: number, relativeHumidity: number, faults: Sht3xFaults = {}) {
  let now = 0;
  const waiting: { due: number; callback: () => void }[] = [];
  const clock: Clock = {
    uptime: () => now / 1000,
    setTimeout(callback, milliseconds) {
      return waiting.push({ due: now + milliseconds, callback });
    },
    clearTimeout: () => undefined,
  };
  const environment = () => ({ celsius, relativeHumidity });
  const model = createSht3xModel({ environment, now: () => now, faults });
  const i2c = (address: number): I2c => {
    const at = (wanted: number): I2cModel => {
      if (wanted !== address) throw new Error("no acknowledge");
      return model;
    };
    const refuse = (): never => {
      throw new Error("no acknowledge");
    };
    return {
      writeTo: (wanted, data) => void (at(wanted).write(Uint8Array.from(data)) || refuse()),
      readFrom: (wanted, quantity) => at(wanted).read(quantity) ?? refuse(),
    };
  };
  const run = () => {
    for (const timer of waiting.splice(0)) {
      now = timer.due;
      timer.callback();
    }
  };
  return { clock, i2c, run };
}

type Outcome = { code: string | undefined; values: number[] };

function measure(parts: ReturnType<typeof bench>, config: { address?: number } = {}, at = 0x44) {
  const outcomes: Outcome[] = [];
  const sensor = createSht3x({ i2c: parts.i2c(at), clock: parts.clock }, config);
  sensor.read((error, values) => {
    outcomes.push({ code: (error as SensorError | undefined)?.code, values });
  });
  parts.run();
  return outcomes;
}

describe("SHT3x driver", () => {
  it.each([
    [21.37, 48.25],
    [0, 0],
    [-12.5, 100],
    [-45, 3.01],
    [130, 99.99],
  ])("reads %d degrees and %d percent", (celsius, relativeHumidity) => {
    expect(measure(bench(celsius, relativeHumidity))).toEqual([
      { code: undefined, values: [Math.round(celsius * 100), Math.round(relativeHumidity * 100)] },
    ]);
  });

  it("names its quantities in SenML's units", () => {
    const { i2c, clock } = bench(20, 50);
    expect(createSht3x({ i2c: i2c(0x44), clock }, {}).quantities).toEqual([
      { name: "temperature", unit: "Cel", exponent: -2 },
      { name: "humidity", unit: "%RH", exponent: -2 },
    ]);
  });

  it("uses the address it is given", () => {
    expect(measure(bench(20, 50), { address: 0x45 }, 0x45)[0]?.values).toEqual([2000, 5000]);
    expect(measure(bench(20, 50), { address: 0x45 }, 0x44)).toEqual([
      { code: "no-acknowledge", values: [] },
    ]);
  });

  it.each([
    ["absent", { absent: true }, "no-acknowledge"],
    ["stuck busy", { stuckBusy: true }, "no-acknowledge"],
    ["disturbed", { wrongCrc: true }, "crc"],
  ])("reports a sensor that is %s, once", (_, faults, code) => {
    expect(measure(bench(20, 50, faults))).toEqual([{ code, values: [] }]);
  });

  it("reports a second read while the first is not finished, and finishes the first", () => {
    const parts = bench(20, 50);
    const sensor = createSht3x({ i2c: parts.i2c(0x44), clock: parts.clock }, {});
    const codes: (string | undefined)[] = [];
    const done = (error: Error | undefined) => {
      codes.push((error as SensorError | undefined)?.code);
    };
    sensor.read(done);
    sensor.read(done);
    parts.run();
    expect(codes).toEqual(["no-acknowledge", undefined]);
  });

  it("does not take the caller's error for the sensor's", () => {
    const parts = bench(20, 50, { absent: true });
    const sensor = createSht3x({ i2c: parts.i2c(0x44), clock: parts.clock }, {});
    let calls = 0;
    expect(() =>
      sensor.read(() => {
        calls++;
        throw new Error("the caller's");
      }),
    ).toThrow("the caller's");
    expect(calls).toBe(1);
  });
});
