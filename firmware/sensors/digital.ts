import type { DigitalInput } from "../ports.ts";
import type { Sensor, SensorPorts } from "./sensor.ts";

/** A contact is still after this time. */
const DEBOUNCE_MS = 50;
/** Where a count starts again at 0: Espruino keeps whole numbers below it in one variable. */
const COUNT_WRAP = 2147483648;

/** A contact or another input of two levels: 1 for on, and how often it changed since boot. */
export function createSensor(
  ports: { openInput: SensorPorts["openInput"] },
  config: { pin?: string; activeLow?: boolean; debounceMs?: number },
): Sensor {
  const input = (ports.openInput as (config: object) => DigitalInput)(config);
  const debounceMs = config.debounceMs === undefined ? DEBOUNCE_MS : config.debounceMs;
  let changes = 0;
  return {
    quantities: [
      { name: "input", unit: "/", exponent: 0 },
      { name: "changes", unit: "count", exponent: 0 },
    ],
    read(done) {
      done(undefined, [input.isOn() ? 1 : 0, changes]);
    },
    watch(changed) {
      input.watch("both", debounceMs, function () {
        changes = (changes + 1) % COUNT_WRAP;
        changed();
      });
    },
  };
}
