import type { Clock, I2c } from "../ports.ts";
import { createBoschSensor } from "./bosch-chip.ts";
import type { Sensor } from "./sensor.ts";

/** Bosch BME280: temperature, air pressure and relative humidity. */
export function createSensor(
  ports: { i2c: I2c | undefined; clock: Clock },
  config: { address?: number },
): Sensor {
  return createBoschSensor(ports, config, {
    driver: "bme280",
    ids: [0x60],
    hasHumidity: true,
    quantities: [
      { name: "temperature", unit: "Cel", exponent: -2 },
      { name: "pressure", unit: "Pa", exponent: 0 },
      { name: "humidity", unit: "%RH", exponent: -2 },
    ],
  });
}
