/**
 * BMP280 and BME280 on the bus. The registers that both have are the same, so sections
 * named here are the BME280 datasheet's; the BMP280's are those of section 4.3.
 */
import type { Clock, I2c } from "../ports.ts";
import { createCompensation } from "./bosch-compensation.ts";
import { createRegisterReader, type Registers } from "./bosch-registers.ts";
import { type Sensor, type SensorErrorCode, sensorError, toWhole } from "./sensor.ts";

/** With the SDO pin low; 0x77 with it high (section 6.2). */
const DEFAULT_ADDRESS = 0x76;
/** Registers of section 5.3. */
const CALIBRATION = 0x88;
const CALIBRATION_BYTES = 26;
const ID = 0xd0;
const HUMIDITY_CALIBRATION = 0xe1;
const HUMIDITY_CALIBRATION_BYTES = 7;
const CTRL_HUM = 0xf2;
const STATUS = 0xf3;
const CTRL_MEAS = 0xf4;
/** From STATUS to the last byte of the pressure and temperature, or of the humidity. */
const RESULT_BYTES = 10;
const HUMIDITY_RESULT_BYTES = 12;
/** One sample of each: section 3.5.1 has that for weather, and a mean is the board file's business. */
const ONE_HUMIDITY = 0x01;
/** One sample of temperature and pressure, and with the lowest bit a single measurement (forced mode). */
const ONE_OF_EACH = 0x24;
const FORCED = 0x01;
/** Bits of STATUS: a measurement runs; the calibration is being read after a reset. */
const BUSY = 0x09;
/** What the registers hold while nothing was measured. */
const NO_RESULT = 0x80000;
const NO_HUMIDITY = 0x8000;
/** Section 9.1: at most 9.3 ms with one sample of each; one more for a timer that rounds down. */
const MEASUREMENT_MS = 11;
/** What the chips can measure (section 1): beyond that a value was made up on the way. */
const MIN_CENTI_CELSIUS = -4000;
const MAX_CENTI_CELSIUS = 8500;
const MIN_PASCAL = 30000;
const MAX_PASCAL = 110000;

export interface BoschChip {
  driver: string;
  /** Values of the register ID. */
  ids: number[];
  hasHumidity: boolean;
  quantities: Sensor["quantities"];
}

export function createBoschSensor(
  ports: { i2c: I2c | undefined; clock: Clock },
  config: { address?: number },
  chip: BoschChip,
): Sensor {
  const address = config.address === undefined ? DEFAULT_ADDRESS : config.address;
  const i2c = ports.i2c as I2c;
  /** Both blocks of the calibration. Read once; again after a failure: another chip may have been plugged in. */
  let calibration: Registers[] | undefined;

  function refuse(code: SensorErrorCode, expectation: string): never {
    throw sensorError(code, chip.driver + " at 0x" + address.toString(16) + ", " + expectation);
  }

  function readFrom(register: number, quantity: number): Registers {
    try {
      i2c.writeTo(address, [register]);
      return i2c.readFrom(address, quantity);
    } catch {
      return refuse("no-acknowledge", "expected an answer, got no acknowledge");
    }
  }

  function identify(): Registers[] {
    const id = readFrom(ID, 1)[0] as number;
    if (chip.ids.indexOf(id) < 0)
      refuse("identity", "expected chip id " + chip.ids + ", got " + id);
    const low = readFrom(CALIBRATION, CALIBRATION_BYTES);
    const high = chip.hasHumidity ? readFrom(HUMIDITY_CALIBRATION, HUMIDITY_CALIBRATION_BYTES) : [];
    const found = createRegisterReader().calibration(low, high);
    // Erased memory, or a line that is held: no chip leaves the factory with these.
    if (found.t1 === 0 || found.t1 === 65535 || found.p[0] === 0 || found.p[0] === 65535)
      refuse("state", "expected its calibration, got none");
    return [low, high];
  }

  function begin(): void {
    calibration = calibration || identify();
    try {
      // Humidity takes effect with the write of CTRL_MEAS (section 5.4.3).
      if (chip.hasHumidity) i2c.writeTo(address, [CTRL_HUM, ONE_HUMIDITY]);
      i2c.writeTo(address, [CTRL_MEAS, ONE_OF_EACH | FORCED]);
    } catch {
      refuse("no-acknowledge", "expected it to take a command, got no acknowledge");
    }
  }

  function finish(): number[] {
    const bytes = readFrom(STATUS, chip.hasHumidity ? HUMIDITY_RESULT_BYTES : RESULT_BYTES);
    // Asleep again, with its settings: there was no reset in between.
    if ((bytes[0] as number) & BUSY || bytes[1] !== ONE_OF_EACH)
      refuse("state", "expected a finished measurement, got " + bytes[0] + ", " + bytes[1]);
    const reader = createRegisterReader();
    const compensation = createCompensation();
    const rawPressure = reader.result(bytes, 4);
    const rawTemperature = reader.result(bytes, 7);
    if (rawPressure === NO_RESULT || rawTemperature === NO_RESULT)
      refuse("state", "expected a measurement, got none");
    const known = calibration as Registers[];
    const c = reader.calibration(known[0] as Registers, known[1] as Registers);
    const fine = compensation.fineTemperature(c, rawTemperature);
    const centiCelsius = compensation.toCentiCelsius(fine);
    const pascal = toWhole(compensation.pressure256(c, fine, rawPressure) / 256);
    if (centiCelsius < MIN_CENTI_CELSIUS || centiCelsius > MAX_CENTI_CELSIUS)
      refuse("range", "expected -40 to 85 Cel, got " + centiCelsius / 100);
    if (pascal < MIN_PASCAL || pascal > MAX_PASCAL)
      refuse("range", "expected 30000 to 110000 Pa, got " + pascal);
    if (!chip.hasHumidity) return [centiCelsius, pascal];
    const rawHumidity = (bytes[10] as number) * 256 + (bytes[11] as number);
    if (rawHumidity === NO_HUMIDITY) refuse("state", "expected a humidity, got none");
    return [centiCelsius, pascal, compensation.toCentiPercent(c, fine, rawHumidity)];
  }

  return {
    quantities: chip.quantities,
    // Calls of `done` stand outside the try: an error that it throws is not the sensor's.
    read(done) {
      let failure: unknown;
      try {
        begin();
      } catch (error) {
        failure = error;
      }
      if (failure) {
        calibration = undefined;
        done(failure as Error, []);
        return;
      }
      ports.clock.setTimeout(function () {
        let values: number[] = [];
        try {
          values = finish();
        } catch (error) {
          failure = error;
          calibration = undefined;
        }
        done(failure as Error | undefined, values);
      }, MEASUREMENT_MS);
    },
  };
}
