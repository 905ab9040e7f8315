import type { Quantity } from "../../protocol/senml.ts";
import type { Clock, I2c } from "../ports.ts";

/** What a board may offer its drivers; each takes the parts it needs. */
export interface SensorPorts {
  clock: Clock;
  /** Undefined on a board whose file names no bus. */
  i2c: I2c | undefined;
  /** The text of a file of the host, on a board that has files. */
  readFile: (path: string) => string | undefined;
}

export interface Sensor {
  /** What it measures: each value is a whole number times 10^exponent. */
  quantities: Quantity[];
  /**
   * Measures and calls `done` exactly once, now or later: with a SensorError, or with
   * one whole number per quantity, in their order.
   */
  read(done: (error: Error | undefined, values: number[]) => void): void;
}

export type SensorErrorCode =
  /** Nobody acknowledged on the bus: absent, busy or asleep. */
  | "no-acknowledge"
  /** What was read does not fit its checksum. */
  | "crc"
  /** A file of the host is missing, or lacks the value. */
  | "unreadable";

export interface SensorError extends Error {
  code: SensorErrorCode;
}

/** The error a driver hands to `done`: decide by its code, the message is for people. */
export function sensorError(code: SensorErrorCode, message: string): SensorError {
  const error = new Error(message) as SensorError;
  error.code = code;
  return error;
}
