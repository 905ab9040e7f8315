import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Calibration,
  createCompensation,
} from "../../../firmware/sensors/bosch-compensation.ts";

const { fineTemperature, pressure256, toCentiCelsius, toCentiPercent } = createCompensation();

/** BMP280 datasheet section 3.12. */
const EXAMPLE: Calibration = {
  t1: 27504,
  t2: 26435,
  t3: -1000,
  p: [36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000],
  h: [75, 362, 0, 319, 50, 30],
};
type Six = [bigint, bigint, bigint, bigint, bigint, bigint];
type Nine = [...Six, bigint, bigint, bigint];
const RUNS = { numRuns: 200 };

/** The same in integers without a limit, with shifts, as section 3.11.3 (8.2) writes it. */
function pressureOracle({ p }: Calibration, fine: number, raw: number): bigint {
  const [p1, p2, p3, p4, p5, p6, p7, p8, p9] = p.map(BigInt) as Nine;
  let v1 = BigInt(fine) - 128000n;
  let v2 = v1 * v1 * p6 + ((v1 * p5) << 17n) + (p4 << 35n);
  v1 = ((v1 * v1 * p3) >> 8n) + ((v1 * p2) << 12n);
  v1 = (((1n << 47n) + v1) * p1) >> 33n;
  if (v1 === 0n) return 0n;
  let result = ((((1048576n - BigInt(raw)) << 31n) - v2) * 3125n) / v1;
  v1 = (p9 * (result >> 13n) * (result >> 13n)) >> 25n;
  v2 = (p8 * result) >> 19n;
  result = ((result + v1 + v2) >> 8n) + (p7 << 4n);
  return result;
}

/** BME280 section 4.2.3. */
function humidityOracle({ h }: Calibration, fine: number, raw: number): bigint {
  const [h1, h2, h3, h4, h5, h6] = h.map(BigInt) as Six;
  const t = BigInt(fine) - 76800n;
  let v = ((BigInt(raw) << 14n) - (h4 << 20n) - h5 * t + 16384n) >> 15n;
  const slope = (((t * h6) >> 10n) * (((t * h3) >> 11n) + 32768n)) >> 10n;
  v *= ((slope + 2097152n) * h2 + 8192n) >> 14n;
  v -= ((((v >> 15n) * (v >> 15n)) >> 7n) * h1) >> 4n;
  if (v < 0n) v = 0n;
  if (v > 419430400n) v = 419430400n;
  return v >> 12n;
}

const word = fc.integer({ min: -32768, max: 32767 });
const near = (value: number, share: number) =>
  fc.integer({
    min: value - Math.ceil(Math.abs(value) * share) - 1,
    max: value + Math.ceil(Math.abs(value) * share) + 1,
  });
/** Chips like the example's, as a factory's spread is. */
const chip = fc.record({
  t1: near(27504, 0.05),
  t2: near(26435, 0.05),
  t3: near(-1000, 1),
  p: fc.tuple(...EXAMPLE.p.map((value) => near(value, 0.2))),
  h: fc.tuple(
    near(75, 0.2),
    near(362, 0.1),
    near(0, 1),
    near(319, 0.1),
    near(50, 1),
    near(30, 0.3),
  ),
});
const raw20 = fc.integer({ min: 0, max: 0xfffff });
const raw16 = fc.integer({ min: 0, max: 0xffff });
const fine = fc.integer({ min: -40 * 5120, max: 85 * 5120 });

describe("the datasheet's example", () => {
  it("comes out: 25.08 degrees, and 100653.27 pascals within the steps of the whole numbers", () => {
    const t = fineTemperature(EXAMPLE, 519888);
    expect(t).toBe(128422);
    expect(toCentiCelsius(t)).toBe(2508);
    expect(Math.abs(pressure256(EXAMPLE, t, 415148) / 256 - 100653.27)).toBeLessThan(0.02);
  });
});

describe("compensation in whole numbers", () => {
  it("has the temperature of the shifts in 32 bits", () => {
    fc.assert(
      fc.property(chip, raw20, (c, raw) => {
        const first = (((raw >> 3) - (c.t1 << 1)) * c.t2) / 2048;
        const off = (raw >> 4) - c.t1;
        const second = (Math.floor((off * off) / 4096) * c.t3) / 16384;
        expect(fineTemperature(c, raw)).toBe(Math.floor(first) + Math.floor(second));
      }),
      RUNS,
    );
  });

  it("has the pressure of 64-bit integers", () => {
    fc.assert(
      fc.property(chip, fine, raw20, (c, t, raw) => {
        const expected = pressureOracle(c, t, raw);
        // Below nothing the division of C rounds the other way; no air is there.
        fc.pre(expected > 0n);
        expect(pressure256(c, t, raw)).toBe(Number(expected));
      }),
      RUNS,
    );
  });

  it("keeps every product exact, whatever the calibration", () => {
    const any = fc.record({
      t1: fc.constant(27504),
      t2: word,
      t3: word,
      p: fc.tuple(
        fc.integer({ min: 30000, max: 65535 }),
        word,
        word,
        word,
        word,
        word,
        word,
        word,
        word,
      ),
      h: fc.constant<number[]>([]),
    });
    fc.assert(
      fc.property(any, fine, raw20, (c, t, raw) => {
        const expected = pressureOracle(c, t, raw);
        fc.pre(expected > 0n && expected < 256n * 200000n);
        expect(pressure256(c, t, raw)).toBe(Number(expected));
      }),
      RUNS,
    );
  });

  it("has the humidity of integers", () => {
    fc.assert(
      fc.property(chip, fine, raw16, (c, t, raw) => {
        const percent1024 = Number(humidityOracle(c, t, raw));
        expect(toCentiPercent(c, t, raw)).toBe(Math.floor((percent1024 * 100) / 1024 + 0.5));
      }),
      RUNS,
    );
  });

  it("cuts humidity at nothing and everything", () => {
    expect(toCentiPercent(EXAMPLE, 128422, 0)).toBe(0);
    expect(toCentiPercent(EXAMPLE, 128422, 65535)).toBe(10000);
  });

  it("gives no pressure where it would divide by zero", () => {
    const p = [0, ...EXAMPLE.p.slice(1)];
    expect(pressure256({ ...EXAMPLE, p }, 128422, 415148)).toBe(0);
  });
});
