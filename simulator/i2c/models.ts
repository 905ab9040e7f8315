import type { Environment } from "../environment.ts";
import { createBoschModel } from "./bosch-model.ts";
import type { I2cModel } from "./bus.ts";
import { createSht3xModel } from "./sht3x-model.ts";

/** The sensors of a board file, as far as a model needs them. */
interface SensorPlace {
  driver: string;
  address?: number | undefined;
}

/** With the address pin low. */
const sht3xAddress = 0x44;
const boschAddress = 0x76;

/** A model for every I2C sensor the board file names, all in the same environment. */
export function createSensorModels(
  sensors: readonly SensorPlace[],
  environment: Environment,
): Map<number, I2cModel> {
  const models = new Map<number, I2cModel>();
  const now = () => performance.now();
  for (const { driver, address } of sensors)
    if (driver === "sht3x")
      models.set(address ?? sht3xAddress, createSht3xModel({ environment, now }));
    else if (driver === "bmp280" || driver === "bme280")
      models.set(address ?? boschAddress, createBoschModel({ chip: driver, environment, now }));
  return models;
}
