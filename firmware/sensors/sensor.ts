import type { Quantity } from "../../protocol/senml.ts";
import type { Clock, DigitalInput, I2c, OneWire } from "../ports.ts";

/** What a board may offer its drivers; each takes the parts it needs. */
export interface SensorPorts {
  clock: Clock;
  /** Undefined on a board whose file names no bus. */
  i2c: I2c | undefined;
  /** The text of a file of the host, on a board that has files. */
  readFile: (path: string) => string | undefined;
  /** A 1-Wire bus on a pin. This and the next two: undefined where no sensor of the board needs it. */
  openOneWire: ((pin: string) => OneWire) | undefined;
  /** A pin's voltage as a share of the converter's range, 0 to 1; NaN where the pin has no converter. */
  openAnalogue: ((pin: string) => () => number) | undefined;
  openInput: ((config: { pin: string; activeLow?: boolean }) => DigitalInput) | undefined;
}

export interface Sensor {
  /** What it measures: each value is a whole number times 10^exponent. */
  quantities: Quantity[];
  /**
   * Measures and calls `done` exactly once, now or later: with a SensorError, or with
   * one whole number per quantity, in their order. No values and no error: there is nothing
   * worth a message.
   */
  read(done: (error: Error | undefined, values: number[]) => void): void;
  /** On a sensor that notices changes by itself: calls back after each, and `read` tells what is now. */
  watch?: ((changed: () => void) => void) | undefined;
}

export type SensorErrorCode =
  /** Nobody acknowledged on the bus: absent, busy or asleep. */
  | "no-acknowledge"
  /** What was read does not fit its checksum. */
  | "crc"
  /** There is no value to be had: a file of the host lacks it, or the pin has no converter. */
  | "unreadable"
  /** Another chip answers than the driver is for. */
  | "identity"
  /** The chip lost what it was told, as after a power dip, or does not finish. */
  | "state"
  /** A value that the sensor cannot measure, or that the board file excludes. */
  | "range";

/**
 * What a failure event says of an error: the place of its code here, from 1; without such a code
 * the one after the last. Only ever appended to. One text: a list would stay in memory.
 */
export function failureNumber(error: Error): number {
  const codes = "no-acknowledge crc unreadable identity state range".split(" ");
  const place = codes.indexOf((error as SensorError).code);
  return (place < 0 ? codes.length : place) + 1;
}

export interface SensorError extends Error {
  code: SensorErrorCode;
}

/** The error a driver hands to `done`: decide by its code, the message is for people. */
export function sensorError(code: SensorErrorCode, message: string): SensorError {
  const error = new Error(message) as SensorError;
  error.code = code;
  return error;
}

/**
 * To the nearest whole number, halves upward. Math.round takes negative halves away from
 * zero on Espruino, and upward elsewhere.
 */
export function toWhole(value: number): number {
  return Math.floor(value + 0.5);
}

/** A value in units as the whole number that stands for it at 10^exponent. */
export function toScale(value: number, exponent: number): number {
  const power = Math.pow(10, Math.abs(exponent));
  return toWhole(exponent < 0 ? value * power : value / power);
}
