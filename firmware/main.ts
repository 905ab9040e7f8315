/** The only wiring: the board file, Espruino's own parts and the C module become a device. */
import board from "coseflow:board";
import drivers from "coseflow:drivers";
import { HAS_BUTTON, HAS_LED, IS_ESP32 } from "coseflow:parts";
import { fail } from "../protocol/errors.ts";
import { startButton } from "./button.ts";
import {
  checkSettings,
  type PinConfig,
  SETTINGS_FILE,
  type SensorConfig,
  type WifiSettings,
} from "./config.ts";
import type { Scope } from "./console.ts";
import { startDevice } from "./device.ts";
import { createClock } from "./espruino/clock.ts";
import { loadCrypto } from "./espruino/crypto.ts";
import { openI2c } from "./espruino/i2c.ts";
import { openButton, openLed } from "./espruino/pins.ts";
import { joinWifi } from "./espruino/wifi.ts";
import { startLed } from "./led.ts";
import type { RunningDevice } from "./ports.ts";
import type { Sensor } from "./sensors/sensor.ts";
import { startService } from "./service.ts";
import type { ServiceState } from "./service-state.ts";
import { startWatchdog } from "./watchdog.ts";

const log = console.log;

function start(service: ServiceState): RunningDevice {
  const crypto = service.crypto;
  const clock = service.clock;
  const settings = checkSettings(require("Storage").readJSON(SETTINGS_FILE, true), board);
  const sensorPorts = {
    clock: clock,
    i2c: board.i2c && openI2c(board.i2c),
    readFile: (path: string) => require("fs").readFileSync(path),
  };
  return startDevice(
    {
      crypto: crypto,
      net: require("net"),
      clock: clock,
      log: log,
      report: service.report,
      joinNetwork(joined: () => void): void {
        if (!IS_ESP32) joined();
        else
          joinWifi(
            { clock: clock, log: log, random: crypto.generateRandom },
            settings.wifi as WifiSettings,
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

function main(): void {
  // First of all: whoever interrupts a start must not find an open console.
  if (board.console === "locked") E.setConsole(null, { force: true });
  else log("console open: whoever holds the cable has this device");
  const crypto = loadCrypto();
  const clock = createClock();
  if (IS_ESP32) startWatchdog(clock, E);
  startService(
    {
      crypto: crypto,
      clock: clock,
      log: log,
      system: {
        interpreter: E,
        process: process,
        storage: require("Storage"),
        esp32: IS_ESP32 ? ESP32 : undefined,
        wifi: IS_ESP32 ? require("Wifi") : undefined,
      },
      startLed: HAS_LED
        ? (service) => startLed(service, openLed(board.led as PinConfig))
        : undefined,
      startButton: HAS_BUTTON
        ? (service, begin) => startButton(service, openButton(board.button as PinConfig), begin)
        : undefined,
      scope: globalThis as unknown as Scope,
    },
    board,
    start,
  );
}

try {
  main();
} catch (error) {
  log("coseflow cannot start: " + (error as Error).message);
}
