/**
 * What stands for the chips in an interpreter without wires: registers as the simulator's model has
 * them after a measurement. It runs before the bundle, as `.boot0`.
 */
import { createSensor as createBme280 } from "../../firmware/sensors/bme280.ts";
import { createBoschModel } from "../../simulator/i2c/bosch-model.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { i2cOf, outcomesOf } from "../support/sensor-bench.ts";

const AIR = { celsius: -7.31, relativeHumidity: 81.4, pascal: 97531 };
/** A BME280 is at this address and the one after the next, a BMP280 between and beyond, an SHT3x at its own two. */
const BME280_ADDRESS = 0x76;
/** The register of the chip's id, and what it holds in a BMP280. */
const ID = 0xd0;
const BMP280 = 0x58;

/** What the registers of a BME280 hold after a measurement, and what the driver reads from them here. */
function measured(): { registers: Buffer; values: number[] } {
  const clock = createManualClock();
  const now = () => clock.uptime() * 1000;
  const model = createBoschModel({ chip: "bme280", environment: () => AIR, now });
  clock.advance(1);
  const { i2c } = i2cOf(BME280_ADDRESS, model);
  const [outcome] = outcomesOf(createBme280({ i2c, clock }, {}), clock);
  model.write(Uint8Array.of(0));
  return { registers: Buffer.from(model.read(256) ?? []), values: outcome?.values ?? [] };
}

const { registers, values } = measured();

/** Of a BME280, as its driver makes them of what the stub gives: temperature, pressure, humidity. */
export const VALUES = values;

/** 0xbeef with its CRC of the datasheet's section 4.12, twice. */
const SHT3X_WORDS = [0xbe, 0xef, 0x92, 0xbe, 0xef, 0x92];

/** A bus of chips that have measured: what is written to their settings changes nothing. */
const BUS = `
  I2C1 = (function () {
    var at = 0;
    function fileOf(address) {
      if (address === ${BME280_ADDRESS} || address === ${BME280_ADDRESS + 2}) return "bme280";
      if (address === ${BME280_ADDRESS + 1} || address === ${BME280_ADDRESS + 3}) return "bmp280";
      if (address === 0x44 || address === 0x45) return "sht3x";
      throw new Error("no acknowledge");
    }
    return {
      setup: function () {},
      writeTo: function (address, data) { if (fileOf(address) !== "sht3x") at = data[0]; },
      readFrom: function (address, count) {
        var file = fileOf(address), from = file === "sht3x" ? 0 : at;
        return E.toUint8Array(require("Storage").read(file).substr(from, count));
      }
    };
  })();`;

/** 21.5 degrees, the settings that the driver wrote, and their CRC. */
const SCRATCHPAD = [0x58, 0x01, 0x5a, 0x2d, 0x7f, 0xff, 0x0c, 0x10];

function crc8(bytes: number[]): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0x8c : 0);
  }
  return crc;
}

const PINS = `
  var level = 0, watches = [];
  global.pinMode = function () {};
  global.digitalRead = function () { return level; };
  global.setWatch = function (changed) { watches.push(changed); };
  global.analogRead = function () { return 0.375; };
  global.OneWire = function () {};
  global.OneWire.prototype = {
    reset: function () { return true; },
    skip: function () {},
    select: function () {},
    write: function () {},
    read: function () { return ${JSON.stringify([...SCRATCHPAD, crc8(SCRATCHPAD)])}; }
  };`;

/** The files of the flash that make up the chips. */
export const STUBS = {
  ".boot0": BUS + PINS,
  bme280: registers,
  // The same, but that it says it is a BMP280.
  bmp280: registers.map((byte, at) => (at === ID ? BMP280 : byte)),
  sht3x: Uint8Array.from(SHT3X_WORDS),
};
