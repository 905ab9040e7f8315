import type { Environment } from "../environment.ts";
import type { I2cModel } from "./bus.ts";

export interface Sht3xFaults {
  /** Not on the bus: nothing is acknowledged. */
  absent?: boolean;
  /** The CRC of the humidity word is wrong, as after a disturbance on the wires. */
  wrongCrc?: boolean;
  /** A measurement never ends. */
  stuckBusy?: boolean;
}

export interface Sht3xModelOptions {
  environment: Environment;
  /** Milliseconds, never stepping back. */
  now: () => number;
  /** May be changed while the board runs. */
  faults?: Sht3xFaults;
}

/** Datasheet table 4, longest times: single shot without clock stretching, by repeatability. */
const measurementMs = new Map([
  [0x2400, 15],
  [0x240b, 6],
  [0x2416, 4],
]);
const readStatus = 0xf32d;
const clearStatus = 0x3041;
const softReset = 0x30a2;
/** Table 4: the sensor answers again 1.5 ms after a reset. */
const resetMs = 1.5;
/** Table 18: an alert is pending and a reset was seen; heater, tracking alerts and errors are off. */
const statusAfterReset = 0x8010;
/** Bits 15, 11, 10 and 4 are the ones the clear command clears. */
const clearableBits = 0x8c10;
/** Bit 1: the last command was not one the sensor knows. */
const commandFailedBit = 0x0002;

/** Section 4.12: CRC-8, polynomial 0x31, start 0xff, neither reflected nor inverted. */
function crc8(high: number, low: number): number {
  let crc = 0xff;
  for (const byte of [high, low]) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x80 ? 0x31 : 0)) & 0xff;
  }
  return crc;
}

function word(value: number): number[] {
  return [value >> 8, value & 255, crc8(value >> 8, value & 255)];
}

/** Section 4.13 turned round: physical value to raw word, cut at the ends of its range. */
function rawOf(share: number): number {
  return Math.min(Math.max(Math.round(share * 65535), 0), 65535);
}

/** A Sensirion SHT3x at register level (datasheet version 7), in single-shot mode. */
export function createSht3xModel(options: Sht3xModelOptions): I2cModel {
  const start = options.now();
  const faults = options.faults ?? {};
  let status = statusAfterReset;
  let busyUntil = start;
  /** What the next read returns; a reading can be fetched once. */
  let answer: (() => number[]) | undefined;

  function measure(): number[] {
    const { celsius, relativeHumidity } = options.environment((options.now() - start) / 1000);
    const bytes = [...word(rawOf((celsius + 45) / 175)), ...word(rawOf(relativeHumidity / 100))];
    if (faults.wrongCrc) bytes.push((bytes.pop() ?? 0) ^ 1);
    return bytes;
  }

  function busyFor(milliseconds: number): void {
    busyUntil = options.now() + (faults.stuckBusy ? Number.POSITIVE_INFINITY : milliseconds);
  }

  function obey(command: number): boolean {
    const milliseconds = measurementMs.get(command);
    if (milliseconds !== undefined) {
      busyFor(milliseconds);
      answer = measure;
    } else if (command === readStatus) {
      const value = status;
      answer = () => word(value);
    } else if (command === clearStatus) status &= ~clearableBits;
    else if (command === softReset) {
      status = statusAfterReset;
      busyFor(resetMs);
    } else return false;
    return true;
  }

  const isSilent = () => faults.absent === true || options.now() < busyUntil;

  return {
    write(data) {
      if (isSilent()) return false;
      answer = undefined;
      const [high = 0, low = 0] = data;
      const isKnown = data.length === 2 && obey((high << 8) | low);
      status = isKnown ? status & ~commandFailedBit : status | commandFailedBit;
      return isKnown;
    },
    read(quantity) {
      if (isSilent() || answer === undefined) return undefined;
      const bytes = answer();
      answer = undefined;
      // Past the end nobody pulls the line down: ones.
      return Uint8Array.from({ length: quantity }, (_, i) => bytes[i] ?? 0xff);
    },
  };
}
