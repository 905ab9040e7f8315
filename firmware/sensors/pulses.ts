import type { DigitalInput } from "../ports.ts";
import type { Sensor, SensorPorts } from "./sensor.ts";

/** Where the total starts again at 0: Espruino keeps whole numbers below it in one variable. */
export const PULSE_WRAP = 2147483648;

/**
 * Counts pulses: those since the last reading, and since boot, so that a reading that is lost
 * loses no pulse.
 */
export function createSensor(
  ports: { openInput: SensorPorts["openInput"] },
  config: { pin?: string; activeLow?: boolean; debounceMs?: number },
): Sensor {
  const input = (ports.openInput as (config: object) => DigitalInput)(config);
  let total = 0;
  let before = 0;
  input.watch("on", config.debounceMs || 0, function () {
    total = (total + 1) % PULSE_WRAP;
  });
  return {
    quantities: [
      { name: "pulses", unit: "count", exponent: 0 },
      { name: "total", unit: "count", exponent: 0 },
    ],
    read(done) {
      const now = total;
      const count = (now - before + PULSE_WRAP) % PULSE_WRAP;
      before = now;
      done(undefined, [count, now]);
    },
  };
}
