import type { Environment } from "../environment.ts";
import type { OneWireModel } from "./bus.ts";

export interface Ds18b20Faults {
  absent?: boolean;
  /** A bit of the scratchpad is disturbed on the wire. */
  wrongCrc?: boolean;
  /** Its supply is gone while it converts: everything is as after power-on. */
  dips?: boolean;
  /** The wire is held low. */
  shorted?: boolean;
}

export interface Ds18b20ModelOptions {
  environment: Environment;
  /** Milliseconds, never stepping back. */
  now: () => number;
  /** 16 hexadecimal digits, as on the chip's laser-made memory. */
  rom?: string;
  /** It has no supply pin: it converts only while the line is driven. */
  isParasite?: boolean;
  /** May be changed while the board runs. */
  faults?: Ds18b20Faults;
}

/** Family 0x28, a serial number, the CRC. */
const DEFAULT_ROM = "28ff641e02160380";
const command = {
  readRom: 0x33,
  matchRom: 0x55,
  skipRom: 0xcc,
  convert: 0x44,
  copyScratchpad: 0x48,
  writeScratchpad: 0x4e,
  readPowerSupply: 0xb4,
  recall: 0xb8,
  readScratchpad: 0xbe,
};
/** Section "Memory": +85 degrees after power-on, alarm limits and 12 bits as from the factory. */
const powerOnTemperature = 85 * 16;
const factorySettings = [0x4b, 0x46, 0x7f];
/** Table 2, longest time at 12 bits; each bit less halves it. */
const conversionMs = 750;

/** Section "CRC generation": x^8 + x^5 + x^4 + 1, the lowest bit first. */
function crc8(bytes: readonly number[]): number {
  let crc = 0;
  for (const byte of bytes)
    for (let bit = 0; bit < 8; bit++) {
      const mix = (crc ^ (byte >> bit)) & 1;
      crc = (crc >> 1) ^ (mix ? 0x8c : 0);
    }
  return crc;
}

type State = "idle" | "rom" | "matching" | "function" | "settings" | "reading" | "done";

/** A Maxim DS18B20 by its command sequence: reset, ROM command, function command, data. */
export function createDs18b20Model(options: Ds18b20ModelOptions): OneWireModel {
  const { environment, now } = options;
  const faults = options.faults ?? {};
  const rom = [...Buffer.from(options.rom ?? DEFAULT_ROM, "hex")];
  const start = now();
  let saved = factorySettings;
  let settings = saved;
  let temperature = powerOnTemperature;
  let state: State = "idle";
  let received: number[] = [];
  let answer: number[] = [];
  let convertedAt: number | undefined;

  /** The lowest bits are undefined at fewer than 12 bits; here they are 0. */
  function bits(): number {
    return 9 + (((settings[2] ?? 0) >> 5) & 3);
  }

  function settle(): void {
    if (convertedAt === undefined || now() < convertedAt) return;
    const raw = Math.round(environment((convertedAt - start) / 1000).celsius * 16);
    const step = 2 ** (12 - bits());
    temperature = Math.floor(raw / step) * step;
    convertedAt = undefined;
    if (!faults.dips) return;
    temperature = powerOnTemperature;
    settings = saved;
  }

  function scratchpad(): number[] {
    const bytes = [temperature & 255, (temperature >> 8) & 255, ...settings, 0xff, 0x0c, 0x10];
    const whole = [...bytes, crc8(bytes)];
    return faults.wrongCrc ? whole.map((byte, i) => (i === 0 ? byte ^ 4 : byte)) : whole;
  }

  function convert(isPowered: boolean): void {
    if (options.isParasite && !isPowered) return;
    convertedAt = now() + conversionMs / 2 ** (12 - bits());
  }

  function give(bytes: number[]): State {
    answer = bytes;
    return "reading";
  }

  function obeyRom(byte: number): State {
    if (byte === command.skipRom) return "function";
    if (byte === command.matchRom) return "matching";
    return byte === command.readRom ? give([...rom]) : "done";
  }

  function obey(byte: number, isPowered: boolean): State {
    if (byte === command.convert) convert(isPowered);
    else if (byte === command.copyScratchpad) saved = settings;
    else if (byte === command.recall) settings = saved;
    else if (byte === command.readScratchpad) return give(scratchpad());
    else if (byte === command.readPowerSupply) return give([options.isParasite ? 0 : 0xff]);
    else if (byte === command.writeScratchpad) return "settings";
    return "done";
  }

  function collect(byte: number, count: number): boolean {
    received.push(byte);
    return received.length === count;
  }

  return {
    reset() {
      if (faults.shorted || faults.absent) return faults.shorted === true;
      settle();
      state = "rom";
      received = [];
      return true;
    },
    write(byte, isPowered) {
      if (faults.absent || faults.shorted) return;
      if (state === "rom") state = obeyRom(byte);
      else if (state === "matching" && collect(byte, rom.length)) {
        state = received.every((value, i) => value === rom[i]) ? "function" : "done";
        received = [];
      } else if (state === "function") state = obey(byte, isPowered);
      else if (state === "settings" && collect(byte, factorySettings.length)) {
        // Of the last byte, two bits can be set (section "Configuration register").
        settings = [received[0] ?? 0, received[1] ?? 0, ((received[2] ?? 0) & 0x60) | 0x1f];
        state = "done";
      }
    },
    read() {
      if (faults.shorted) return 0;
      if (faults.absent) return 0xff;
      settle();
      // While it converts it answers with zeros, where it has a supply.
      if (convertedAt !== undefined && state === "done" && !options.isParasite) return 0;
      return (state === "reading" ? answer.shift() : undefined) ?? 0xff;
    },
  };
}
