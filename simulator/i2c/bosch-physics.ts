/**
 * What the air does to a BMP280 or BME280: the raw words that the chip would measure.
 * Found by trying, with the datasheets' floating-point compensation (BMP280 section 8.1,
 * BME280 section 8.1), which shares nothing with the firmware's whole numbers.
 */
import { STANDARD_PASCAL, type Surroundings } from "../environment.ts";

type Nine = [number, number, number, number, number, number, number, number, number];
type Six = [number, number, number, number, number, number];

/** The chip's own coefficients: T1 to T3, P1 to P9, H1 to H6. */
export interface BoschCoefficients {
  t: [number, number, number];
  p: Nine;
  h: Six;
}

/** Those of the BMP280 datasheet's example (section 3.12); its humidity part is like a real chip's. */
export const EXAMPLE_COEFFICIENTS: BoschCoefficients = {
  t: [27504, 26435, -1000],
  p: [36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000],
  h: [75, 362, 0, 319, 50, 30],
};

export interface RawWords {
  temperature: number;
  pressure: number;
  humidity: number;
}

/** Temperature times 5120. */
function fineOf({ t: [t1, t2, t3] }: BoschCoefficients, raw: number): number {
  const off = raw / 131072 - t1 / 8192;
  return (raw / 16384 - t1 / 1024) * t2 + off * off * t3;
}

function pascalOf({ p }: BoschCoefficients, fine: number, raw: number): number {
  const [p1, p2, p3, p4, p5, p6, p7, p8, p9] = p;
  const t = fine / 2 - 64000;
  const offset = ((t * t * p6) / 32768 + t * p5 * 2) / 4 + p4 * 65536;
  const slope = (1 + ((p3 * t * t) / 524288 + p2 * t) / 524288 / 32768) * p1;
  const first = ((1048576 - raw - offset / 4096) * 6250) / slope;
  return first + ((p9 * first * first) / 2147483648 + (first * p8) / 32768 + p7) / 16;
}

function percentOf({ h }: BoschCoefficients, fine: number, raw: number): number {
  const [h1, h2, h3, h4, h5, h6] = h;
  const t = fine - 76800;
  const slope = (h2 / 65536) * (1 + (h6 / 67108864) * t * (1 + (h3 / 67108864) * t));
  const share = (raw - (h4 * 64 + (h5 / 16384) * t)) * slope;
  return share * (1 - (h1 * share) / 524288);
}

/** The least word from which on `reached` holds, or the greatest there is. */
function find(bits: number, reached: (raw: number) => boolean): number {
  let raw = 0;
  for (let bit = 2 ** (bits - 1); bit >= 1; bit /= 2) if (!reached(raw + bit - 1)) raw += bit;
  return Math.min(raw, 2 ** bits - 1);
}

export function rawWords(chip: BoschCoefficients, air: Surroundings): RawWords {
  const { celsius, relativeHumidity, pascal = STANDARD_PASCAL } = air;
  const temperature = find(20, (raw) => fineOf(chip, raw) / 5120 >= celsius);
  const fine = fineOf(chip, temperature);
  return {
    temperature,
    pressure: find(20, (raw) => pascalOf(chip, fine, raw) <= pascal),
    humidity: find(16, (raw) => percentOf(chip, fine, raw) >= relativeHumidity),
  };
}
