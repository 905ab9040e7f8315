/** The only wiring: the board file, Espruino's own parts and the C module become a device. */
import board from "coseflow:board";
import drivers from "coseflow:drivers";
import { fail } from "../protocol/errors.ts";
import { checkSettings, SETTINGS_FILE, type SensorConfig } from "./config.ts";
import { startDevice } from "./device.ts";
import { createClock } from "./espruino/clock.ts";
import { loadCrypto } from "./espruino/crypto.ts";
import { openI2c } from "./espruino/i2c.ts";
import { net } from "./espruino/net.ts";
import { joinWifi } from "./espruino/wifi.ts";
import type { Sensor } from "./sensors/sensor.ts";

const log = console.log;

function main(): void {
  const crypto = loadCrypto();
  const settings = checkSettings(require("Storage").readJSON(SETTINGS_FILE, true), board);
  const clock = createClock();
  const sensorPorts = {
    clock: clock,
    i2c: board.i2c && openI2c(board.i2c),
    readFile: (path: string) => require("fs").readFileSync(path),
  };
  startDevice(
    {
      crypto: crypto,
      net: net,
      clock: clock,
      log: log,
      joinNetwork(joined: () => void): void {
        if (board.network === "host") joined();
        else
          joinWifi(
            {
              wifi: require("Wifi"),
              clock: clock,
              log: log,
              random: crypto.generateRandom,
            },
            settings.wifi,
            joined,
          );
      },
      createSensor(config: SensorConfig): Sensor {
        const create = drivers[config.driver];
        if (create === undefined)
          return fail(
            "argument",
            "sensor driver, expected one of this bundle, got " + config.driver,
          );
        return create(sensorPorts, config);
      },
    },
    board,
    settings,
  );
}

try {
  main();
} catch (error) {
  log("coseflow cannot start: " + (error as Error).message);
}
