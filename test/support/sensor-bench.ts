/** Drivers on a clock that runs only when told to, with models on the bus. */
import type { I2c } from "../../firmware/ports.ts";
import type { Sensor, SensorError } from "../../firmware/sensors/sensor.ts";
import type { I2cModel } from "../../simulator/i2c/bus.ts";
import type { ManualClock } from "./manual-clock.ts";

export interface Outcome {
  code: string | undefined;
  values: number[];
}

/** Longer than any driver takes. */
const LONG_SECONDS = 5;

/** What a read comes to: an outcome for each call of `done`. */
export function outcomesOf(sensor: Sensor, clock: ManualClock): Outcome[] {
  const outcomes: Outcome[] = [];
  sensor.read((error, values) => {
    outcomes.push({ code: (error as SensorError | undefined)?.code, values });
  });
  clock.advance(LONG_SECONDS);
  return outcomes;
}

export interface I2cFault {
  /** The byte, from 0, at which the wires fail. */
  at: number;
  /** Nobody acknowledges it, or a line is held from it on while a chip is read. */
  kind: "no-acknowledge" | "ones" | "zeros";
}

/** The bus of one chip, with a count of its bytes, the address's left out. */
export function i2cOf(address: number, model: I2cModel, fault?: I2cFault) {
  let bytes = 0;
  const refuse = (): never => {
    throw new Error("no acknowledge");
  };
  function pass(wanted: number, count: number): void {
    const from = bytes;
    bytes += count;
    if (wanted !== address) refuse();
    if (fault?.kind === "no-acknowledge" && fault.at >= from && fault.at < bytes) refuse();
  }
  const i2c: I2c = {
    writeTo(wanted, data) {
      pass(wanted, data.length);
      return void (model.write(Uint8Array.from(data)) || refuse());
    },
    readFrom(wanted, quantity) {
      const from = bytes;
      pass(wanted, quantity);
      const read = model.read(quantity) ?? refuse();
      if (fault === undefined || fault.kind === "no-acknowledge") return read;
      const held = fault.kind === "ones" ? 255 : 0;
      return read.map((byte, i) => (from + i >= fault.at ? held : byte));
    },
  };
  return { i2c, bytes: () => bytes };
}
