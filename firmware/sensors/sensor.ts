/**
 * One measured quantity: what SenML says about it once (RFC 8428). A value is a whole
 * number times 10^exponent, so that no decimal fraction is ever computed or printed.
 */
export interface Quantity {
  /** SenML name, relative to the device's base name. */
  name: string;
  /** Unit from IANA's registry of SenML units, such as "Cel" or "%RH". */
  unit: string;
  exponent: number;
}

export interface Sensor {
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
