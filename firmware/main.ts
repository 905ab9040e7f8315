/** The only wiring: the board file, Espruino's own parts and the C module become a device. */
import board from "coseflow:board";
import {
  loadCertify,
  loadCold,
  loadCommand,
  loadEnrolment,
  loadReply,
  loadRoll,
  loadSetup,
} from "coseflow:cold";
import drivers from "coseflow:drivers";
import {
  BUILD_TIME,
  HAS_ANALOGUE,
  HAS_BUTTON,
  HAS_DIGITAL,
  HAS_INPUT,
  HAS_LED,
  HAS_ONE_WIRE,
  IS_ESP32,
  IS_OPEN,
  IS_REFINED,
  SLEEPS,
  STAYS_AWAKE,
  VERSION,
} from "coseflow:parts";
import { fail } from "../protocol/errors.ts";
import { RESET_COMMAND } from "./boot-guard.ts";
import { startButton } from "./button.ts";
import { watchChanges } from "./changes.ts";
import { type PinConfig, SETTINGS_FILE, type SensorConfig } from "./config.ts";
import { exposeCommands, type Scope } from "./console.ts";
import type { DevicePorts } from "./device-ports.ts";
import { createClock } from "./espruino/clock.ts";
import { loadCrypto } from "./espruino/crypto.ts";
import { openI2c } from "./espruino/i2c.ts";
import { net } from "./espruino/net.ts";
import { openButton, openLed } from "./espruino/pins.ts";
import { openAnalogue, openInput, openOneWire } from "./espruino/sensor-pins.ts";
import { joinWifi } from "./espruino/wifi.ts";
import { resumeKept } from "./kept-session.ts";
import { createLed } from "./led.ts";
import { FAREWELL_FILE } from "./provision/farewell.ts";
import { startProvisioned } from "./provision/start.ts";
import { refine } from "./sensors/refine.ts";
import type { Sensor, SensorPorts } from "./sensors/sensor.ts";
import { startService } from "./service.ts";
import { restart } from "./service-state.ts";
import { startSleeper } from "./sleep.ts";

const log = console.log;

function main(): void {
  if (STAYS_AWAKE) log("no deep sleep on this board: it stays awake");
  // First of all: whoever interrupts a start must not find an open console.
  if (IS_OPEN) log("console open: whoever holds the cable has this device");
  else E.setConsole(null, { force: true });
  startService(
    {
      cold: loadCold,
      setup: IS_ESP32 ? loadSetup : undefined,
      version: VERSION,
      crypto: loadCrypto(),
      clock: createClock(),
      log: log,
      system: {
        interpreter: E,
        process: process,
        storage: require("Storage"),
        esp32: IS_ESP32 ? ESP32 : undefined,
        wifi: IS_ESP32 ? require("Wifi") : undefined,
      },
      createLed: HAS_LED
        ? (service) => createLed(service.life, openLed(board.led as PinConfig))
        : undefined,
      startButton: HAS_BUTTON
        ? (service, begin) => startButton(service, openButton(board.button as PinConfig), begin)
        : undefined,
      exposeCommands: IS_OPEN
        ? (service) => exposeCommands(service, globalThis as unknown as Scope)
        : undefined,
      startSleeper: SLEEPS ? (service, device) => startSleeper(service, device, board) : undefined,
    },
    board,
    // Only while it starts is all of this there: the device keeps what it uses.
    function (service) {
      const crypto = service.crypto;
      const clock = service.clock;
      const storage = require("Storage");
      const flashed = storage.readJSON(SETTINGS_FILE, true);
      // The very last step of a deletion, where a power cut has left it undone.
      if (flashed === undefined) storage.erase(FAREWELL_FILE);
      const settings = loadCold().openSettings(crypto, log, flashed, board);
      if (IS_ESP32 && settings.wifi.length === 0) return undefined;
      const sensorPorts: SensorPorts = {
        clock: clock,
        i2c: board.i2c && openI2c(board.i2c),
        readFile: (path: string) => require("fs").readFileSync(path),
        openOneWire: HAS_ONE_WIRE ? openOneWire : undefined,
        openAnalogue: HAS_ANALOGUE ? openAnalogue : undefined,
        openInput: HAS_INPUT ? openInput : undefined,
      };
      const ports: DevicePorts = {
        crypto: crypto,
        net: net,
        clock: clock,
        log: log,
        report: service.report,
        life: service.life,
        cold: loadCold,
        enrolment: loadEnrolment,
        command: loadCommand,
        reply: loadReply,
        roll: loadRoll,
        certify: loadCertify,
        system: service.system,
        restart: () => restart(service, RESET_COMMAND),
        provisioning: () =>
          loadCold().checkProvisioning(
            require("Storage").readJSON(SETTINGS_FILE, true),
            BUILD_TIME,
          ),
        joinNetwork(joined: () => void): void {
          if (!IS_ESP32) joined();
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
          const sensor = create(sensorPorts, config);
          return IS_REFINED ? refine(sensor, config, clock) : sensor;
        },
        resume: SLEEPS ? resumeKept : undefined,
        watchChanges: HAS_DIGITAL ? watchChanges : undefined,
      };
      return startProvisioned(ports, board, settings);
    },
  );
}

try {
  main();
} catch (error) {
  log("coseflow cannot start: " + (error as Error).message);
}
