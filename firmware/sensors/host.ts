import { type Sensor, sensorError } from "./sensor.ts";

/** Bytes in one "kB" of /proc/meminfo. */
const KIB = 1024;
const MEMORY_LABEL = "MemAvailable:";
/** Room for the padding and the number behind the label. */
const MEMORY_FIELD = 24;

/**
 * Load and memory of a Linux host: the one-minute load average in hundredths, and
 * the bytes that new programs could use (proc(5)). `readFile` returns a file's text;
 * it may throw, or return undefined, when there is none.
 */
export function createSensor(ports: { readFile: (path: string) => string | undefined }): Sensor {
  /** The text, or "" for a file that cannot be read: the numbers below are missing then. */
  function textOf(path: string): string {
    try {
      return ports.readFile(path) || "";
    } catch {
      return "";
    }
  }

  function availableBytes(): number {
    const field = textOf("/proc/meminfo").split(MEMORY_LABEL)[1];
    return field === undefined ? -1 : parseInt(field.substr(0, MEMORY_FIELD), 10) * KIB;
  }

  return {
    quantities: [
      { name: "load", unit: "1", exponent: -2 },
      { name: "memory", unit: "B", exponent: 0 },
    ],
    read(done) {
      const load = Math.round(parseFloat(textOf("/proc/loadavg")) * 100);
      const memory = availableBytes();
      // Also false for NaN, which is what a missing number reads as.
      if (load >= 0 && memory >= 0) done(undefined, [load, memory]);
      else
        done(
          sensorError("unreadable", "/proc, expected a number in loadavg and in meminfo, got none"),
          [],
        );
    },
  };
}
