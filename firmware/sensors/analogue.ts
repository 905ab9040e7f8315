import { type Sensor, type SensorPorts, sensorError, toScale } from "./sensor.ts";

/** A share of the converter's range has 12 bits: four decimals hold them. */
const DEFAULT_DECIMALS = 4;

/** A voltage at a pin, by a straight line in the unit of what it stands for. */
export function createSensor(
  ports: { openAnalogue: SensorPorts["openAnalogue"] },
  config: {
    pin?: string;
    unit?: string;
    decimals?: number;
    scale?: number;
    offset?: number;
  },
): Sensor {
  const pin = config.pin || "";
  const readShare = (ports.openAnalogue as (pin: string) => () => number)(pin);
  const exponent = 0 - (config.decimals === undefined ? DEFAULT_DECIMALS : config.decimals);
  const scale = config.scale === undefined ? 1 : config.scale;
  const offset = config.offset || 0;
  return {
    quantities: [{ name: "level", unit: config.unit || "/", exponent: exponent }],
    read(done) {
      const share = readShare();
      // Also false for NaN.
      if (share >= 0 && share <= 1) done(undefined, [toScale(share * scale + offset, exponent)]);
      else
        done(
          sensorError("unreadable", pin + ", expected a pin with a converter, got " + share),
          [],
        );
    },
  };
}
