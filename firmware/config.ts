import { fromHex } from "../protocol/bytes.ts";
import { fail } from "../protocol/errors.ts";

/** The board file (boards/*.json) as the bundle carries it: public, the same for every board of a kind. */
export interface Board {
  name: string;
  /** How the board reaches the broker: its own Wi-Fi, or the network of the machine it runs on. */
  network: "wifi" | "host";
  /** Pins of the I2C bus, where the board has sensors on one. */
  i2c?: { sda: string; scl: string; bitrate: number };
  sensors: SensorConfig[];
  queue: {
    /** Sealed readings kept in memory until receipted; the oldest goes first when full. */
    readings: number;
  };
  /** A plain LED that shows the device's state. */
  led?: PinConfig;
  /** A button for safe mode and factory reset. */
  button?: PinConfig;
  /** "locked": nobody can type at the console, or read what is logged. "open" where not given. */
  console?: "open" | "locked";
  /** Hours between two health records, where it is not the default of 24. */
  health?: { periodHours: number };
}

export interface PinConfig {
  /** As Espruino names it. */
  pin: string;
  /** On, or pressed, at the low level. */
  activeLow?: boolean;
}

export interface SensorConfig {
  /** Name of a driver in firmware/sensors/. */
  driver: string;
  /** Seconds between two readings. */
  periodSeconds: number;
  /** MQTT quality of service of its readings: 0, or 1 to keep each until receipted. */
  qos: 0 | 1;
  /** I2C address, for drivers that need one. */
  address?: number;
}

export interface WifiSettings {
  ssid: string;
  password: string;
}

/** What differs from device to device, written to flash as coseflow.json beside the bundle. */
export interface Settings {
  broker: { host: string; port: number; username?: string; password?: string };
  /** The cloud's public key: 130 hexadecimal digits of the uncompressed P-256 point. */
  cloudPublicKey: string;
  /** On a board whose network is Wi-Fi: checkSettings sees to it. */
  wifi?: WifiSettings;
  /** Topic prefix, where it is not the profile's own. */
  topicPrefix?: string;
  /** Seconds without a receipt before the first repeat, where it is not the default of 60. */
  receiptSeconds?: number;
}

/** Name of the settings in flash. */
export const SETTINGS_FILE = "coseflow.json";

/** Refuses settings that the device could not work with, before anything is made of them. */
export function checkSettings(value: unknown, board: Board): Settings {
  const settings = value as Settings;
  if (!settings || typeof settings !== "object")
    fail("argument", SETTINGS_FILE + ", expected the device's settings in flash, got none");
  const broker = settings.broker;
  if (!broker || typeof broker.host !== "string" || !(broker.port > 0 && broker.port < 65536))
    fail("argument", SETTINGS_FILE + ", expected broker.host and broker.port (1 to 65535)");
  const key = settings.cloudPublicKey;
  const point = typeof key === "string" ? fromHex(key) : undefined;
  if (point === undefined || point.length !== 65 || point.charCodeAt(0) !== 4)
    fail("argument", SETTINGS_FILE + ", expected cloudPublicKey as 130 hexadecimal digits from 04");
  if (board.network === "wifi" && !(settings.wifi && typeof settings.wifi.ssid === "string"))
    fail("argument", SETTINGS_FILE + ", expected wifi.ssid on a board that has Wi-Fi, got none");
  return settings;
}
