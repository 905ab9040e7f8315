import type { I2cModel } from "./bus.ts";
import { createSht3xModel, type Environment } from "./sht3x-model.ts";

/** The sensors of a board file, as far as a model needs them. */
interface SensorPlace {
  driver: string;
  address?: number | undefined;
}

/** The SHT3x with its ADDR pin low. */
const defaultAddress = 0x44;

/** A model for every I2C sensor the board file names, all in the same environment. */
export function createSensorModels(
  sensors: readonly SensorPlace[],
  environment: Environment,
): Map<number, I2cModel> {
  const models = new Map<number, I2cModel>();
  for (const { driver, address = defaultAddress } of sensors)
    if (driver === "sht3x")
      models.set(address, createSht3xModel({ environment, now: () => performance.now() }));
  return models;
}
