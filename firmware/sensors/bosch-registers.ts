/** The registers of BMP280 and BME280 as numbers. Sections are the BME280 datasheet's. */
import type { Calibration } from "./bosch-compensation.ts";

export type Registers = ArrayLike<number>;

/** Made when registers have been read, and dropped afterwards. */
export function createRegisterReader() {
  function signed(value: number, half: number): number {
    return value < half ? value : value - 2 * half;
  }

  function wordAt(bytes: Registers, at: number): number {
    return (bytes[at] as number) + (bytes[at + 1] as number) * 256;
  }

  function signedAt(bytes: Registers, at: number): number {
    return signed(wordAt(bytes, at), 32768);
  }

  return {
    /** Section 4.2.2. H4 and H5 have 12 bits each and share the byte in their middle. */
    calibration(low: Registers, high: Registers): Calibration {
      const p = [wordAt(low, 6)];
      for (let at = 8; at < 24; at += 2) p.push(signedAt(low, at));
      const h: number[] = [];
      if (high.length > 0) {
        const middle = high[4] as number;
        h.push(low[25] as number, signedAt(high, 0), high[2] as number);
        h.push(signed(high[3] as number, 128) * 16 + (middle & 15));
        h.push(signed(high[5] as number, 128) * 16 + (middle >> 4));
        h.push(signed(high[6] as number, 128));
      }
      return { t1: wordAt(low, 0), t2: signedAt(low, 2), t3: signedAt(low, 4), p: p, h: h };
    },

    /** Of a measurement: 20 bits, from the top. */
    result(bytes: Registers, at: number): number {
      const low = (bytes[at + 2] as number) >> 4;
      return (bytes[at] as number) * 4096 + (bytes[at + 1] as number) * 16 + low;
    },
  };
}
