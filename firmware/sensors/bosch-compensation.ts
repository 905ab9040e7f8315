/**
 * The compensation of BMP280 and BME280 in whole numbers, as Bosch's datasheets give it:
 * BMP280 section 3.11.3, BME280 section 4.2.3. Shifts to the right are divisions rounded down:
 * Espruino shifts 32 bits, and the pressure needs 64. Each product below is either
 * less than 2^53, where numbers are exact, or taken apart until its parts are.
 */
import { toWhole } from "./sensor.ts";

/** The words of the chip's memory, by their names in the datasheet. */
export interface Calibration {
  t1: number;
  t2: number;
  t3: number;
  /** P1 to P9, from index 0. */
  p: number[];
  /** H1 to H6, from index 0; empty for a BMP280. */
  h: number[];
}

/** Made for each measurement and dropped after it: held, it would take some 50 variables. */
export function createCompensation() {
  /** Temperature at a finer resolution, which pressure and humidity start from: 5120 a degree. */
  function fineTemperature(c: Calibration, raw: number): number {
    const first = Math.floor(((Math.floor(raw / 8) - c.t1 * 2) * c.t2) / 2048);
    const off = Math.floor(raw / 16) - c.t1;
    return first + Math.floor((Math.floor((off * off) / 4096) * c.t3) / 16384);
  }

  /** Hundredths of a degree. */
  function toCentiCelsius(fine: number): number {
    return Math.floor((fine * 5 + 128) / 256);
  }

  /** 256ths of a pascal; 0 where the calibration would have it divide by zero. */
  function pressure256(c: Calibration, fine: number, raw: number): number {
    const p = c.p as [number, number, number, number, number, number, number, number, number];
    const t = fine - 128000;
    const offset = t * t * p[5] + t * p[4] * 131072 + p[3] * 34359738368;
    const slope = Math.floor((t * t * p[2]) / 256) + t * p[1] * 4096 + 140737488355328;
    // (slope * P1) >> 33: the product has up to 63 bits.
    const high = Math.floor(slope / 8589934592);
    const divisor = high * p[0] + Math.floor(((slope - high * 8589934592) * p[0]) / 8589934592);
    if (divisor === 0) return 0;
    // ((1048576 - raw) << 31 - offset) * 3125 / divisor, in 63 bits: first without the factor.
    const dividend = (1048576 - raw) * 2147483648 - offset;
    let whole = Math.floor(dividend / divisor);
    let rest = dividend - whole * divisor;
    // The quotient may have been rounded up to the next whole number.
    if (rest < 0) {
      whole--;
      rest += divisor;
    }
    const first = whole * 3125 + Math.floor((rest * 3125) / divisor);
    const coarse = Math.floor(first / 8192);
    const square = coarse * coarse;
    const top = Math.floor(square / 33554432);
    const second = top * p[8] + Math.floor(((square - top * 33554432) * p[8]) / 33554432);
    const third = Math.floor((p[7] * first) / 524288);
    return Math.floor((first + second + third) / 256) + p[6] * 16;
  }

  /** Hundredths of a percent, cut to 0 to 100 %. */
  function toCentiPercent(c: Calibration, fine: number, raw: number): number {
    const h = c.h as [number, number, number, number, number, number];
    const t = fine - 76800;
    const slope = Math.floor(
      (Math.floor((t * h[5]) / 1024) * (Math.floor((t * h[2]) / 2048) + 32768)) / 1024,
    );
    let share =
      Math.floor((raw * 16384 - h[3] * 1048576 - h[4] * t + 16384) / 32768) *
      Math.floor(((slope + 2097152) * h[1] + 8192) / 16384);
    const coarse = Math.floor(share / 32768);
    share -= Math.floor((Math.floor((coarse * coarse) / 128) * h[0]) / 16);
    // 22.10 bits above the four that are dropped.
    return toWhole((Math.floor(Math.min(Math.max(share, 0), 419430400) / 4096) * 100) / 1024);
  }

  return {
    fineTemperature: fineTemperature,
    toCentiCelsius: toCentiCelsius,
    pressure256: pressure256,
    toCentiPercent: toCentiPercent,
  };
}
