/** The drivers in firmware/sensors/, and what a board file says of each. */
import { Type } from "typebox";
import { MAX_VALUE } from "./limits.ts";
import { PIN } from "./parts.ts";
import { createDriver } from "./sensor-properties.ts";
import { UNITS } from "./units.ts";

function address(low: number, high: number, pin: string) {
  const hex = (value: number) => `${value} (0x${value.toString(16)})`;
  return Type.Optional(
    Type.Enum([low, high], {
      default: low,
      title: "I2C address",
      description: `${hex(low)} with the ${pin} pin low, also where not given; ${hex(high)} with it high.`,
      examples: [low],
    }),
  );
}

const INPUT = {
  pin: PIN,
  activeLow: Type.Optional(
    Type.Boolean({
      title: "Active low",
      description:
        "True where the low level is on, as with a contact to ground: the pin is pulled up then.",
      examples: [true],
    }),
  ),
  debounceMs: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1000,
      title: "Debounce time",
      description:
        "Milliseconds that a contact has to be still; where not given 50 for digital, none for pulses.",
      examples: [50],
    }),
  ),
};

const SHT3X = createDriver({
  name: "sht3x",
  description: "Sensirion SHT30, SHT31 or SHT35: temperature and relative humidity, over I2C.",
  quantities: ["temperature", "humidity"],
  sampleMs: 17,
  own: { address: address(0x44, 0x45, "ADDR") },
  examples: [{ driver: "sht3x", periodSeconds: 10, qos: 1, address: 68 }],
});

const BME280 = createDriver({
  name: "bme280",
  description: "Bosch BME280: temperature, air pressure and relative humidity, over I2C.",
  quantities: ["temperature", "pressure", "humidity"],
  sampleMs: 11,
  own: { address: address(0x76, 0x77, "SDO") },
  examples: [{ driver: "bme280", periodSeconds: 60, qos: 1 }],
});

const BMP280 = createDriver({
  name: "bmp280",
  description: "Bosch BMP280: temperature and air pressure, over I2C.",
  quantities: ["temperature", "pressure"],
  sampleMs: 11,
  own: { address: address(0x76, 0x77, "SDO") },
  examples: [{ driver: "bmp280", periodSeconds: 60, qos: 1 }],
});

const DS18B20 = createDriver({
  name: "ds18b20",
  description: "Maxim DS18B20: temperature, over 1-Wire.",
  quantities: ["temperature"],
  sampleMs: 760,
  own: {
    pin: PIN,
    rom: Type.Optional(
      Type.String({
        pattern: "^28[0-9a-f]{14}$",
        title: "ROM code",
        description: "The 16 hexadecimal digits, from 28, of one of several on the same wire.",
        examples: ["28ff641e02160380"],
      }),
    ),
    parasite: Type.Optional(
      Type.Boolean({
        title: "Parasite power",
        description: "True where it has no supply but the data wire.",
        examples: [false],
      }),
    ),
  },
  examples: [{ driver: "ds18b20", periodSeconds: 60, qos: 1, pin: "D4" }],
});

const ANALOGUE = createDriver({
  name: "analogue",
  description: "A voltage at a pin with a converter, in the unit of what it stands for.",
  quantities: ["level"],
  sampleMs: 1,
  own: {
    pin: PIN,
    unit: Type.Optional(
      Type.Enum(UNITS, {
        title: "Unit",
        description: "SenML unit (RFC 8428) of the value; / where not given, a ratio.",
        examples: ["V"],
      }),
    ),
    decimals: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 6,
        title: "Decimals",
        description: "How many decimals the value is rounded to; 4 where not given.",
        examples: [2],
      }),
    ),
    scale: Type.Optional(
      Type.Number({
        minimum: -MAX_VALUE,
        maximum: MAX_VALUE,
        title: "Scale",
        description:
          "The value is scale times the share of the converter's range, and offset; 1 where not given.",
        examples: [3.3],
      }),
    ),
    offset: Type.Optional(
      Type.Number({
        minimum: -MAX_VALUE,
        maximum: MAX_VALUE,
        title: "Offset",
        description: "The value at no voltage; 0 where not given.",
        examples: [0],
      }),
    ),
  },
  examples: [
    { driver: "analogue", periodSeconds: 60, qos: 1, pin: "D2", unit: "V", scale: 3.3, average: 4 },
  ],
});

const DIGITAL = createDriver({
  name: "digital",
  description: "A contact or another input of two levels; each change is a signed event.",
  quantities: ["input", "changes"],
  sampleMs: 0,
  own: {
    ...INPUT,
    eventSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 86_400,
        title: "Seconds between events",
        description:
          "Least time between two events; 60 where not given. What comes sooner waits, and only the last of it is sent.",
        examples: [60],
      }),
    ),
  },
  examples: [{ driver: "digital", periodSeconds: 3600, qos: 1, pin: "D3", activeLow: true }],
});

const PULSES = createDriver({
  name: "pulses",
  description: "Counts pulses, as of a meter: those since the last reading, and since boot.",
  quantities: ["pulses", "total"],
  sampleMs: 0,
  own: INPUT,
  examples: [{ driver: "pulses", periodSeconds: 300, qos: 1, pin: "D3", activeLow: true }],
});

const HOST = createDriver({
  name: "host",
  description: "Load and memory of the computer that a Linux board runs on.",
  quantities: ["load", "memory"],
  sampleMs: 0,
  own: {},
  examples: [{ driver: "host", periodSeconds: 10, qos: 1 }],
});

export const DRIVERS = [SHT3X, BME280, BMP280, DS18B20, ANALOGUE, DIGITAL, PULSES, HOST] as const;

export const SENSOR = Type.Union([
  SHT3X.schema,
  BME280.schema,
  BMP280.schema,
  DS18B20.schema,
  ANALOGUE.schema,
  DIGITAL.schema,
  PULSES.schema,
  HOST.schema,
]);

/** The driver of a sensor as a board file has it, where there is such a one. */
export function driverOf(sensor: unknown): (typeof DRIVERS)[number] | undefined {
  if (typeof sensor !== "object" || sensor === null) return undefined;
  const { driver } = sensor as { driver?: unknown };
  return DRIVERS.find(({ name }) => name === driver);
}
