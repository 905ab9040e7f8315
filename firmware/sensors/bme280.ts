import type { Clock, I2c } from "../ports.ts";
import { createBoschSensor } from "./bosch-chip.ts";
import { nameOf, type Sensor } from "./sensor.ts";

/** Bosch BME280: temperature, air pressure and relative humidity. */
export function createSensor(
  ports: { i2c: I2c | undefined; clock: Clock },
  config: { address?: number; name?: string },
): Sensor {
  return createBoschSensor(ports, config, {
    driver: "bme280",
    ids: [0x60],
    hasHumidity: true,
    quantities: [
      { name: nameOf(config, "temperature"), unit: "Cel", exponent: -2 },
      { name: nameOf(config, "pressure"), unit: "Pa", exponent: 0 },
      { name: nameOf(config, "humidity"), unit: "%RH", exponent: -2 },
    ],
  });
}
