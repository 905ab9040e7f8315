import type { Clock, I2c } from "../ports.ts";
import { createBoschSensor } from "./bosch-chip.ts";
import type { Sensor } from "./sensor.ts";

/** Bosch BMP280: temperature and air pressure. Early samples have the ids 0x56 and 0x57. */
export function createSensor(
  ports: { i2c: I2c | undefined; clock: Clock },
  config: { address?: number },
): Sensor {
  return createBoschSensor(ports, config, {
    driver: "bmp280",
    ids: [0x58, 0x57, 0x56],
    hasHumidity: false,
    quantities: [
      { name: "temperature", unit: "Cel", exponent: -2 },
      { name: "pressure", unit: "Pa", exponent: 0 },
    ],
  });
}
