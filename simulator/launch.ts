/** A board file, its bundle and a directory become a running simulated device. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createSimulatedBoard, type SimulatedBoard } from "./board.ts";
import { type Devcrypto, loadDevcrypto } from "./devcrypto/load.ts";
import { createSleepMemory, type SleepMemory } from "./devcrypto/sleep.ts";
import { openStandIn } from "./devcrypto/stand-in.ts";
import type { Environment } from "./environment.ts";
import { createSensorModels } from "./i2c/models.ts";
import type { ReadFile } from "./modules.ts";
import type { OneWireBuses, OneWireModel } from "./one-wire/bus.ts";
import { createDs18b20Model } from "./one-wire/ds18b20-model.ts";
import { repositoryRoot } from "./repository.ts";
import type { ImprovPacket } from "./serial.ts";
import type { AccessPoint } from "./wifi.ts";

/** What the launcher reads of a board file (boards/*.json). */
interface BoardFile {
  name: string;
  network: "wifi" | "host";
  i2c?: { sda: string; scl: string };
  sensors: { driver: string; address?: number; pin?: string; rom?: string; parasite?: boolean }[];
  sleep?: object;
}

/** What was flashed, and what it was built for. */
export interface BoardFiles {
  /** Path of the board file. */
  board: string;
  /** Path of its bundle. */
  bundle: string;
}

/** The files of a board of this repository, by its name. */
export function boardFiles(name: string): BoardFiles {
  const root = repositoryRoot();
  return {
    board: join(root, "boards", `${name}.json`),
    bundle: join(root, "build", "firmware", `${name}.js`),
  };
}

/** A broker as the settings of a device name it (firmware/mqtt/broker.ts). */
export interface LaunchedBroker {
  host: string;
  port: number;
  username?: string;
  password?: string;
  tls?: boolean;
  maxQos?: 1 | 2;
}

export interface LaunchOptions {
  files: BoardFiles;
  /** Where the device's flash and keys live; made where missing. */
  directory: string;
  /** Written to flash as coseflow.json. */
  settings: { brokers: LaunchedBroker[] } & Record<string, unknown>;
  console: (line: string) => void;
  /** What it answers to Improv. */
  onPacket?: ImprovPacket;
  environment?: Environment;
  /** What a board on a host reads in place of the files of this machine. */
  hostFiles?: ReadFile;
  /** What a board with Wi-Fi has in reach, where its settings name networks of their own. */
  accessPoints?: AccessPoint[];
}

/** True for the line with which the firmware gives up at boot (firmware/main.ts). */
export function isStartFailure(line: string): boolean {
  return line.startsWith("coseflow cannot start");
}

export interface LaunchedDevice {
  /** Which crypto module the board runs on, and why it is not the C module. */
  devcrypto: { kind: "native" | "stand-in"; reason?: string };
  /** Types a line at the board's console. */
  type(text: string): void;
  /** Sends bytes into its serial line. */
  send(bytes: string): void;
  /** The Wi-Fi link breaks. */
  loseWifi(): void;
  /** Power off: nothing of the device runs afterwards, its keys in memory are wiped. */
  powerOff(): void;
}

/** The network of the air that a simulated board with Wi-Fi breathes. */
const SIMULATED_WIFI = { ssid: "simulated", password: "simulated password" };

/** A room over the day: warm in the afternoon, damp in the morning. */
const ROOM: Environment = (seconds) => {
  const turn = Math.sin((seconds / 600) * 2 * Math.PI);
  return { celsius: 21.5 + 1.5 * turn, relativeHumidity: 45 - 4 * turn };
};

/** A DS18B20 for each that the board file names. */
function createOneWire({ sensors }: BoardFile, environment: Environment): OneWireBuses {
  const buses = new Map<string, OneWireModel[]>();
  const now = () => performance.now();
  for (const { driver, pin, rom, parasite: isParasite = false } of sensors) {
    if (driver !== "ds18b20" || pin === undefined) continue;
    const model = createDs18b20Model({ environment, now, isParasite, ...(rom && { rom }) });
    buses.set(pin, [...(buses.get(pin) ?? []), model]);
  }
  return buses;
}
const readText: ReadFile = (path) => readFileSync(path, "latin1");

function read(file: string, hint: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`${file}, expected ${hint}, got ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** From a restart that the board made itself to its next boot; a real chip needs about a second. */
const RESTART_MS = 200;

/** ESP-IDF's name for a timer as the cause of a wake (ESP_SLEEP_WAKEUP_TIMER). */
const TIMER_WAKEUP = 4;

/** The C module of a computer has no port that keeps a session over deep sleep. */
const SLEEPING: Devcrypto = {
  kind: "stand-in",
  reason: "the C module for a computer knows no deep sleep",
  open: openStandIn,
};

interface Running {
  board: SimulatedBoard;
  powerOff(): void;
}

/** Boots the bundle of a board, again after each restart that it makes itself. Throws when the board or its bundle is not there. */
export function launchDevice(options: LaunchOptions): LaunchedDevice {
  const file = JSON.parse(read(options.files.board, "a board file")) as BoardFile;
  const bundle = read(options.files.bundle, "a bundle (npm run build)");
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const devcrypto = file.sleep === undefined ? loadDevcrypto() : SLEEPING;
  const environment = options.environment ?? ROOM;
  const hasWifi = file.network === "wifi";
  const wifiSettings = hasWifi ? { wifi: SIMULATED_WIFI } : {};
  let restart: NodeJS.Timeout | undefined;

  /**
   * `settings` are flashed once: what the device erases stays erased. `memory` is what deep sleep
   * has left, where this is a wake.
   */
  function boot(settings: object | undefined, memory = createSleepMemory()): Running {
    const keys = devcrypto.open(join(options.directory, "keys"), memory);
    function bootAgain(milliseconds: number, left?: SleepMemory): void {
      keys.close();
      restart = setTimeout(() => {
        running = boot(undefined, left);
      }, milliseconds);
    }
    const board = createSimulatedBoard({
      board: file,
      bundle,
      storage: join(options.directory, "flash"),
      settings,
      devcrypto: keys,
      console: options.console,
      onPacket: options.onPacket,
      sensors: createSensorModels(file.sensors, environment),
      oneWire: createOneWire(file, environment),
      wifi: hasWifi ? (options.accessPoints ?? [SIMULATED_WIFI]) : undefined,
      hostFiles: hasWifi ? undefined : (options.hostFiles ?? readText),
      wakeupCause: memory.woke ? TIMER_WAKEUP : 0,
      onReset: () => bootAgain(RESTART_MS),
      onSleep(microseconds) {
        memory.woke = true;
        bootAgain(microseconds / 1000, memory);
      },
    });
    board.boot();
    return {
      board,
      powerOff() {
        clearTimeout(restart);
        if (!board.running) return;
        board.powerOff();
        keys.close();
      },
    };
  }

  let running = boot({ ...wifiSettings, ...options.settings });
  const { kind, reason } = devcrypto;
  return {
    devcrypto: reason === undefined ? { kind } : { kind, reason },
    type: (text) => running.board.type(text),
    send: (bytes) => running.board.send(bytes),
    loseWifi: () => running.board.loseWifi(),
    powerOff: () => running.powerOff(),
  };
}
