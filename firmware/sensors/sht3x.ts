import type { Clock, I2c } from "../ports.ts";
import { type Sensor, type SensorErrorCode, sensorError } from "./sensor.ts";

/** 7-bit address with the ADDR pin low; 0x45 with it high. */
const DEFAULT_ADDRESS = 0x44;
/** Single shot, high repeatability, no clock stretching (datasheet section 4.3). */
const MEASURE = [0x24, 0x00];
/** A measurement takes up to 15.5 ms (table 4); one more for a timer that rounds down. */
const MEASUREMENT_MS = 17;
const READING_BYTES = 6;

/** True when the word at `at` fits its CRC-8: polynomial 0x31, start 0xff (section 4.12). */
function isIntact(bytes: ArrayLike<number>, at: number): boolean {
  let crc = 0xff;
  for (let i = at; i < at + 2; i++) {
    crc ^= bytes[i] as number;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x80 ? 0x31 : 0)) & 0xff;
  }
  return crc === bytes[at + 2];
}

function wordAt(bytes: ArrayLike<number>, at: number): number {
  return (bytes[at] as number) * 256 + (bytes[at + 1] as number);
}

/**
 * Sensirion SHT3x: temperature and relative humidity, in hundredths. Conversion of
 * section 4.13: -45 + 175 raw / 65535 degrees, 100 raw / 65535 percent.
 */
export function createSensor(
  ports: { i2c: I2c; clock: Clock },
  config: { address?: number },
): Sensor {
  const address = config.address === undefined ? DEFAULT_ADDRESS : config.address;

  function refuse(code: SensorErrorCode, expectation: string): Error {
    return sensorError(code, "sht3x at 0x" + address.toString(16) + ", " + expectation);
  }

  return {
    quantities: [
      { name: "temperature", unit: "Cel", exponent: -2 },
      { name: "humidity", unit: "%RH", exponent: -2 },
    ],
    // Calls of `done` stand outside the try: an error that it throws is not the sensor's.
    read(done) {
      try {
        ports.i2c.writeTo(address, MEASURE);
      } catch {
        done(refuse("no-acknowledge", "expected it to take a command, got no acknowledge"), []);
        return;
      }
      ports.clock.setTimeout(function () {
        let bytes: ArrayLike<number>;
        try {
          bytes = ports.i2c.readFrom(address, READING_BYTES);
        } catch {
          done(refuse("no-acknowledge", "expected a reading, got no acknowledge"), []);
          return;
        }
        if (!isIntact(bytes, 0) || !isIntact(bytes, 3)) {
          done(refuse("crc", "expected words that fit their CRC, got others"), []);
          return;
        }
        const hundredths = Math.round((wordAt(bytes, 0) * 17500) / 65535) - 4500;
        done(undefined, [hundredths, Math.round((wordAt(bytes, 3) * 10000) / 65535)]);
      }, MEASUREMENT_MS);
    },
  };
}
