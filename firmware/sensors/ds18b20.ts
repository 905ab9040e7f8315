import type { Clock, OneWire } from "../ports.ts";
import {
  type Sensor,
  type SensorErrorCode,
  type SensorPorts,
  sensorError,
  toWhole,
} from "./sensor.ts";

/** Function commands of the datasheet. */
const CONVERT = 0x44;
const WRITE_SCRATCHPAD = 0x4e;
const READ_SCRATCHPAD = 0xbe;
const SCRATCHPAD_BYTES = 9;
/** Table 2: 750 ms at 12 bits at most; some more for a timer that rounds down. */
const CONVERSION_MS = 760;
/**
 * Bytes 2 to 4 of the scratchpad: two alarm limits, which nobody uses, and 12 bits. A chip
 * that lost its power has its own there, and its 85 degrees are no temperature.
 */
const MARK = [0x5a, 0x2d, 0x7f];
/** The chip's range, in 16ths of a degree. */
const MIN_RAW = -55 * 16;
const MAX_RAW = 125 * 16;

/** CRC-8 of Maxim: polynomial 0x31, reflected (0x8c), start 0. Over bytes and their CRC it is 0. */
function crc8(bytes: ArrayLike<number>): number {
  let crc = 0;
  for (let i = 0; i < bytes.length; i++) {
    crc ^= bytes[i] as number;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0x8c : 0);
  }
  return crc;
}

/** Maxim DS18B20 on a 1-Wire bus: temperature, in hundredths. */
export function createSensor(
  ports: { clock: Clock; openOneWire: SensorPorts["openOneWire"] },
  config: { pin?: string; rom?: string; parasite?: boolean },
): Sensor {
  const pin = config.pin || "";
  const wire = (ports.openOneWire as (pin: string) => OneWire)(pin);

  function refuse(code: SensorErrorCode, expectation: string): Error {
    return sensorError(code, "ds18b20 on " + pin + ", " + expectation);
  }

  /** Begins a transaction; false when nobody is there. */
  function address(): boolean {
    if (!wire.reset()) return false;
    if (config.rom) wire.select(config.rom);
    else wire.skip();
    return true;
  }

  function begin(): boolean {
    if (!address()) return false;
    wire.write([WRITE_SCRATCHPAD].concat(MARK), false);
    if (!address()) return false;
    wire.write(CONVERT, config.parasite === true);
    return true;
  }

  /** The scratchpad, or what is wrong with it. */
  function finish(): ArrayLike<number> | Error {
    if (!address()) return refuse("no-acknowledge", "expected a presence pulse, got none");
    wire.write(READ_SCRATCHPAD, false);
    const bytes = wire.read(SCRATCHPAD_BYTES);
    if (crc8(bytes) !== 0) return refuse("crc", "expected bytes that fit their CRC, got others");
    // Also of a wire that is held low: zeros fit their CRC.
    for (let i = 0; i < MARK.length; i++)
      if (bytes[i + 2] !== MARK[i]) return refuse("state", "expected its settings, got others");
    return bytes;
  }

  return {
    quantities: [{ name: "temperature", unit: "Cel", exponent: -2 }],
    read(done) {
      if (!begin()) {
        done(refuse("no-acknowledge", "expected a presence pulse, got none"), []);
        return;
      }
      ports.clock.setTimeout(function () {
        const bytes = finish();
        if (bytes instanceof Error) {
          done(bytes, []);
          return;
        }
        const word = (bytes[0] as number) + (bytes[1] as number) * 256;
        const raw = word < 32768 ? word : word - 65536;
        if (raw < MIN_RAW || raw > MAX_RAW)
          done(refuse("range", "expected -55 to 125 Cel, got " + raw / 16), []);
        else done(undefined, [toWhole((raw * 25) / 4)]);
      }, CONVERSION_MS);
    },
  };
}
