import { type TProperties, Type } from "typebox";
import { MAX_PERIOD_SECONDS } from "./limits.ts";
import { closed } from "./parts.ts";

/** What every sensor has. */
const COMMON = {
  periodSeconds: Type.Integer({
    minimum: 1,
    maximum: MAX_PERIOD_SECONDS,
    title: "Period",
    description: "Seconds between two readings.",
    examples: [10],
  }),
  qos: Type.Enum([0, 1], {
    title: "Quality of service",
    description: "1: each reading is kept until a receipt lists it. 0: sent once and forgotten.",
    examples: [1],
  }),
  drop: Type.Optional(
    Type.Enum(["oldest", "newest"], {
      title: "What goes when the queue is full",
      description:
        "oldest, also where not given: the oldest reading in the queue. newest: this sensor's new one is not taken.",
      examples: ["oldest"],
    }),
  ),
};

/** `name` is a file in firmware/sensors/; a driver's own properties are optional ones of SensorConfig there. */
function driver<N extends string, T extends TProperties>(
  name: N,
  description: string,
  own: T,
  examples: unknown[],
) {
  return closed(
    {
      driver: Type.Literal(name, {
        title: "Driver",
        description: `${name}: ${description}`,
        examples: [name],
      }),
      ...COMMON,
      ...own,
    },
    { title: name, description, examples },
  );
}

/** Drivers whose device is on the I2C bus, told apart there by `address`. */
export const I2C_DRIVERS = [
  driver(
    "sht3x",
    "Sensirion SHT30, SHT31 or SHT35: temperature and relative humidity, over I2C.",
    {
      address: Type.Optional(
        Type.Enum([68, 69], {
          default: 68,
          title: "I2C address",
          description:
            "68 (0x44) with the ADDR pin low, also where not given; 69 (0x45) with it high.",
          examples: [68],
        }),
      ),
    },
    [{ driver: "sht3x", periodSeconds: 10, qos: 1, address: 68 }],
  ),
] as const;

/** All others. */
export const OTHER_DRIVERS = [
  driver("host", "Load and memory of the computer that a Linux board runs on.", {}, [
    { driver: "host", periodSeconds: 10, qos: 1 },
  ]),
] as const;
