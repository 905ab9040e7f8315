import type { Environment } from "../environment.ts";
import { type BoschCoefficients, EXAMPLE_COEFFICIENTS, rawWords } from "./bosch-physics.ts";
import type { I2cModel } from "./bus.ts";

export interface BoschFaults {
  /** Not on the bus: nothing is acknowledged. */
  absent?: boolean;
  /** A measurement never ends. */
  stuckBusy?: boolean;
  /** What the register of the chip id holds instead. */
  id?: number;
  /** The supply dips at the next command: everything is at its value of the start. */
  dips?: boolean;
}

export interface BoschModelOptions {
  chip: "bmp280" | "bme280";
  environment: Environment;
  /** Milliseconds, never stepping back. */
  now: () => number;
  coefficients?: BoschCoefficients;
  /** May be changed while the board runs. */
  faults?: BoschFaults;
}

/** BME280 datasheet section 5.3; the BMP280 has all but the humidity's (its section 4.2). */
const register = {
  calibration: 0x88,
  h1: 0xa1,
  id: 0xd0,
  reset: 0xe0,
  humidityCalibration: 0xe1,
  ctrlHum: 0xf2,
  status: 0xf3,
  ctrlMeas: 0xf4,
  config: 0xf5,
  pressure: 0xf7,
  temperature: 0xfa,
  humidity: 0xfd,
};
const ids = { bmp280: 0x58, bme280: 0x60 };
const resetWord = 0xb6;
/** Section 1.1: from power or reset to the first answer. */
const startMs = 2;
const measuringBit = 8;
const updateBit = 1;
/** Section 5.4: samples by the three bits of a setting. */
const samples = [0, 1, 2, 4, 8, 16, 16, 16];

function low(value: number): number[] {
  return [value & 255, (value >> 8) & 255];
}

/** 20 bits in three bytes, the lowest four empty. */
function word20(value: number): number[] {
  return [value >> 12, (value >> 4) & 255, (value & 15) << 4];
}

/** Section 4.2.2. */
function calibrationBytes({ t, p, h }: BoschCoefficients): [low: number[], high: number[]] {
  const [h1, h2, h3, h4, h5, h6] = h;
  const shared = (h4 & 15) | ((h5 & 15) << 4);
  return [
    [...[...t, ...p].flatMap(low), 0, h1],
    [...low(h2), h3, (h4 >> 4) & 255, shared, (h5 >> 4) & 255, h6 & 255],
  ];
}

/** A Bosch BMP280 or BME280 at register level, in its forced and normal modes, without the filter. */
export function createBoschModel(options: BoschModelOptions): I2cModel {
  const { chip, environment, now, coefficients = EXAMPLE_COEFFICIENTS } = options;
  const faults = options.faults ?? {};
  const hasHumidity = chip === "bme280";
  const start = now();
  const registers = new Uint8Array(256);
  let pointer = 0;
  /** Of CTRL_HUM, what the last write of CTRL_MEAS put into effect. */
  let humiditySetting = 0;
  let readyAt = start;
  let measuredAt: number | undefined;

  function put(at: number, bytes: number[]): void {
    registers.set(bytes, at);
  }

  function putResult(pressure: number, temperature: number, humidity: number): void {
    put(register.pressure, word20(pressure));
    put(register.temperature, word20(temperature));
    if (hasHumidity) put(register.humidity, [humidity >> 8, humidity & 255]);
  }

  function reset(): void {
    registers.fill(0);
    const [shared, humidity] = calibrationBytes(coefficients);
    put(register.calibration, hasHumidity ? shared : shared.slice(0, -1));
    if (hasHumidity) put(register.humidityCalibration, humidity);
    registers[register.id] = ids[chip];
    putResult(0x80000, 0x80000, 0x8000);
    humiditySetting = 0;
    measuredAt = undefined;
    readyAt = now() + startMs;
  }

  /** Section 9.1, longest times. */
  function measurementMs(control: number): number {
    const [t = 0, p = 0, h = 0] = [control >> 5, (control >> 2) & 7, humiditySetting].map(
      (bits) => samples[bits],
    );
    return 1.25 + 2.3 * t + (p && 2.3 * p + 0.575) + (h && 2.3 * h + 0.575);
  }

  /** Time has passed: a measurement may have ended. */
  function settle(): void {
    if (measuredAt === undefined || now() < measuredAt || faults.stuckBusy) return;
    const control = registers[register.ctrlMeas] ?? 0;
    const raw = rawWords(coefficients, environment((measuredAt - start) / 1000));
    putResult(
      (control >> 2) & 7 ? raw.pressure : 0x80000,
      control >> 5 ? raw.temperature : 0x80000,
      humiditySetting ? raw.humidity : 0x8000,
    );
    if ((control & 3) === 3) {
      measuredAt = now() + measurementMs(control);
      return;
    }
    registers[register.ctrlMeas] = control & 0xfc;
    measuredAt = undefined;
  }

  function obey(at: number, value: number): void {
    if (at === register.reset) {
      if (value === resetWord) reset();
      return;
    }
    const isHumidity = at === register.ctrlHum;
    if (isHumidity && !hasHumidity) return;
    if (!isHumidity && at !== register.ctrlMeas && at !== register.config) return;
    registers[at] = isHumidity ? value & 7 : value;
    if (at !== register.ctrlMeas) return;
    humiditySetting = registers[register.ctrlHum] ?? 0;
    measuredAt = value & 3 ? now() + measurementMs(value) : undefined;
    if (!faults.dips) return;
    faults.dips = false;
    reset();
  }

  reset();
  registers[register.status] = 0;

  return {
    write(data) {
      if (faults.absent) return false;
      settle();
      // Section 6.2.1: a register and its value, again and again; a register alone is for a read.
      for (let at = 0; at < data.length; at += 2) {
        pointer = data[at] ?? 0;
        const value = data[at + 1];
        if (value !== undefined) obey(pointer, value);
      }
      return true;
    },
    read(quantity) {
      if (faults.absent) return undefined;
      settle();
      if (faults.id !== undefined) registers[register.id] = faults.id;
      registers[register.status] =
        (measuredAt === undefined ? 0 : measuringBit) | (now() < readyAt ? updateBit : 0);
      const bytes = Uint8Array.from({ length: quantity }, (_, i) => registers[pointer + i] ?? 0);
      pointer += quantity;
      return bytes;
    },
  };
}
