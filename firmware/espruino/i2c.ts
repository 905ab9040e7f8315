import type { I2c } from "../ports.ts";

/** The board's I2C bus on the pins of its file. */
export function openI2c(config: { sda: string; scl: string; bitrate: number }): I2c {
  I2C1.setup({
    sda: new Pin(config.sda),
    scl: new Pin(config.scl),
    bitrate: config.bitrate,
  });
  return I2C1;
}
