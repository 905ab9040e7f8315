import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import { createBoardClock } from "./clock.ts";
import {
  type Console,
  type ConsoleLine,
  createConsole,
  defineConsole,
  uncaughtLines,
} from "./console.ts";
import { defineEsp32 } from "./esp32.ts";
import { createEvents, type Events } from "./events.ts";
import type { I2cModel } from "./i2c/bus.ts";
import { defineI2c } from "./i2c/port.ts";
import { defineInterpreter, type ResetCause } from "./interpreter.ts";
import { createLoop, type Loop } from "./loop.ts";
import { createDeviceCryptoModule, createFs, defineRequire, type ReadFile } from "./modules.ts";
import { createNet, type Net } from "./net.ts";
import { defineOneWire, type OneWireBuses } from "./one-wire/bus.ts";
import { definePins, type Pins } from "./pins.ts";
import { createEspruinoRandom } from "./random.ts";
import { createRealm, type Realm, type RealmFunction } from "./realm.ts";
import { defineSerial, type ImprovPacket } from "./serial.ts";
import { createStorage } from "./storage.ts";
import { directoryFiles, memoryFiles, type StorageFiles } from "./storage-files.ts";
import { createTimers, defineTimers, type Timers } from "./timers.ts";
import { type AccessPoint, createWifi, type Wifi } from "./wifi.ts";

/** The file of the settings, read by the firmware at boot. */
const settingsFile = "coseflow.json";
const bundleName = "bundle.js";

/** What the simulator needs to know of a board file. */
export interface BoardDescription {
  name: string;
  i2c?: { sda: string; scl: string } | undefined;
}

export interface SimulatedBoardOptions {
  board: BoardDescription;
  /** The text that is flashed. */
  bundle: string;
  /** Where Storage survives a power cycle: a directory, or a map kept by the caller. */
  storage: string | Map<string, string>;
  /** Written to Storage as coseflow.json before boot; without it the file stays as it is. */
  settings?: object | undefined;
  /** The C module or its stand-in; without one require("devcrypto") throws. The caller closes it. */
  devcrypto: DeviceCrypto | undefined;
  console: ConsoleLine;
  /** What it answers to Improv. */
  onPacket?: ImprovPacket | undefined;
  /** Chips on the board's I2C bus, by address. */
  sensors?: ReadonlyMap<number, I2cModel> | undefined;
  /** Chips on 1-Wire buses, by pin. */
  oneWire?: OneWireBuses | undefined;
  /**
   * The access points in reach, a list that may change: makes the board an ESP32, with
   * require("Wifi") and ESP32.
   */
  wifi?: AccessPoint[] | undefined;
  /** What ESP32.getWakeupCause() tells; 0, no wake from deep sleep, where not given. */
  wakeupCause?: number | undefined;
  /** Gives the board require("fs") with readFileSync, as a Linux build has: what it reads. */
  hostFiles?: ReadFile | undefined;
  /** The board restarted itself: it is off now, and the caller may boot a new one. */
  onReset?: ((cause: ResetCause) => void) | undefined;
  /** The board sleeps deeply: it is off now, and after that time the caller boots a new one. */
  onSleep?: ((microseconds: number) => void) | undefined;
}

/** One power cycle of a board: booted once, off for ever after. */
export interface SimulatedBoard {
  readonly running: boolean;
  /** Runs the bundle, then "init" listeners of E, then onInit(), as the interpreter does. */
  boot(): void;
  /** At once: timers and sockets are gone, and no line of the bundle has any effect any more. */
  powerOff(): void;
  /** The Wi-Fi link breaks: the board may join again, if an access point is still in reach. */
  loseWifi(): void;
  /** Types a line at the console. */
  type(text: string): void;
  /** Sends bytes into the serial line that the console is on. */
  send(bytes: string): void;
  /** What is wired to the pins. May be driven before boot. */
  readonly pins: Pins;
}

interface Machine {
  realm: Realm;
  loop: Loop;
  events: Events;
  /** Timers of the bundle, and those of the hardware, which it cannot clear. */
  timers: Timers;
  hardware: Timers;
  console: Console;
}

function openFiles(options: SimulatedBoardOptions): StorageFiles {
  const { storage, settings } = options;
  const files = typeof storage === "string" ? directoryFiles(storage) : memoryFiles(storage);
  if (settings !== undefined)
    files.write(settingsFile, Buffer.from(JSON.stringify(settings)).toString("latin1"));
  return files;
}

/** The built-in modules this board has. */
function createModules(
  options: SimulatedBoardOptions,
  realm: Realm,
  net: Net,
  wifi: Wifi | undefined,
): Map<string, object> {
  const modules = new Map([
    ["Storage", createStorage(realm, openFiles(options))],
    ["net", net.module],
    ["tls", net.tlsModule],
  ]);
  if (options.devcrypto !== undefined)
    modules.set("devcrypto", createDeviceCryptoModule(realm, options.devcrypto));
  if (wifi !== undefined) modules.set("Wifi", wifi.module);
  if (options.hostFiles) modules.set("fs", createFs(realm, options.hostFiles));
  return modules;
}

/** What becomes of an uncaught error: a listener of process gets it, or else the console. */
function createReport(machine: () => Machine) {
  const event = "uncaughtException";
  let isHandling = false;
  return (thrown: unknown) => {
    const { realm, loop, events, console } = machine();
    const process = realm.global("process") as object;
    // The error of such a listener is printed: given to it again it would never end.
    if (isHandling || !events.has(process, event)) {
      for (const line of uncaughtLines(thrown, bundleName)) console.print(line);
      return;
    }
    isHandling = true;
    events.emit(process, event, [thrown]);
    loop.run(() => {
      isHandling = false;
    });
  };
}

function createMachine(options: SimulatedBoardOptions, random: () => number, clock: () => number) {
  const loop = createLoop(createReport(() => machine));
  const events = createEvents(loop);
  const unhandled = (reason: unknown) =>
    console.print(`Uncaught Error: Unhandled promise rejection: ${String(reason)}`);
  const realm = createRealm({ loop, events, random, milliseconds: clock, unhandled });
  const console = createConsole(realm, loop, events, options.console);
  const timers = createTimers(loop);
  const hardware = createTimers(loop);
  const machine: Machine = { realm, loop, events, timers, hardware, console };
  return machine;
}

/** A board as the bundle sees it: what Espruino offers there, and nothing else. */
export function createSimulatedBoard(options: SimulatedBoardOptions): SimulatedBoard {
  const { board } = options;
  const random = createEspruinoRandom();
  const clock = createBoardClock();
  const machine = createMachine(options, random, clock.milliseconds);
  const { realm, loop, events, timers, hardware, console } = machine;

  const wifi = options.wifi && createWifi({ realm, loop, events, timers: hardware }, options.wifi);
  const net = createNet({ realm, loop, events, online: () => wifi?.online() ?? true });
  const modules = createModules(options, realm, net, wifi);
  let isBooted = false;

  function powerOff(): void {
    loop.stop();
    timers.clear();
    hardware.clear();
    net.destroy();
  }

  function reset(cause: ResetCause): void {
    powerOff();
    options.onReset?.(cause);
  }

  defineConsole(realm, console.print);
  const serial = defineSerial({
    realm,
    events,
    console,
    line: options.console,
    onPacket: options.onPacket ?? (() => {}),
  });
  defineTimers(realm, timers);
  defineRequire(realm, modules);
  const seconds = () => clock.milliseconds() / 1000;
  const pins = definePins({ realm, loop, timers: hardware, seconds });
  if (options.wifi !== undefined) {
    const wakeupCause = options.wakeupCause ?? 0;
    const sleep = (microseconds: number) => {
      powerOff();
      options.onSleep?.(microseconds);
    };
    defineEsp32(realm, { wakeupCause, reset: () => reset("reboot"), sleep });
  }
  if (board.i2c !== undefined)
    defineI2c(realm, { ...board.i2c, models: options.sensors ?? new Map() });
  defineOneWire(realm, options.oneWire ?? new Map());
  defineInterpreter({
    realm,
    timers: hardware,
    boardName: board.name,
    moduleNames: [...modules.keys()],
    random,
    milliseconds: clock.milliseconds,
    setMilliseconds: clock.set,
    reset,
    console,
  });

  return {
    get running() {
      return isBooted && loop.running;
    },
    boot() {
      if (isBooted) throw new Error("boot, expected once per power cycle, got a second");
      isBooted = true;
      loop.run(() => realm.evaluate(options.bundle, bundleName));
      events.emit(realm.global("E") as object, "init", []);
      loop.run(() => {
        const onInit = realm.global("onInit");
        if (typeof onInit === "function") (onInit as RealmFunction)();
      });
    },
    powerOff,
    loseWifi: () => wifi?.lose(),
    type(text) {
      if (console.get() === "USB") console.run(text);
      else serial.receive(`${text}\n`);
    },
    send: serial.receive,
    pins,
  };
}
