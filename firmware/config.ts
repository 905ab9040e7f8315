import { type Bytes, fromHex } from "../protocol/bytes.ts";
import { fail } from "../protocol/errors.ts";
import type { Broker } from "./mqtt/broker.ts";
import { checkNetwork, type WifiNetwork } from "./network-settings.ts";

/** The board file (boards/*.json) as the bundle carries it: public, the same for every board of a kind. */
export interface Board {
  name: string;
  /** How the board reaches the broker: its own Wi-Fi, or the network of the machine it runs on. */
  network: "wifi" | "host";
  /** Pins of the I2C bus, where the board has sensors on one. */
  i2c?: { sda: string; scl: string; bitrate: number };
  sensors: SensorConfig[];
  queue: QueueConfig;
  session?: {
    /** Seconds until a session is followed by a new one: up to the default of a day. */
    rekeySeconds?: number;
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

/** Sealed readings are kept until receipted. */
export interface QueueConfig {
  /** How many in memory. */
  readings: number;
  /** How many more in flash, where they outlive a power cut; none by default. */
  flash?: number;
  /**
   * Seconds that a reading may wait in memory before it goes to flash; 60 by default. At
   * 0 each reading is in flash before it is sent: none is lost, and flash wears faster.
   */
  spillSeconds?: number;
}

export interface SensorConfig {
  /** Name of a driver in firmware/sensors/. */
  driver: string;
  /** Seconds between two readings. */
  periodSeconds: number;
  /** MQTT quality of service of its readings: 0, or 1 to keep each until receipted. */
  qos: 0 | 1;
  /**
   * What goes when the queue is full: its oldest reading, whose ever that is (the default),
   * or the newest of this sensor, which is not taken in. Events have places of their own.
   */
  drop?: "oldest" | "newest";
  /** I2C address, for drivers that need one. */
  address?: number;
  /**
   * Tells sensors of one board apart. The name of the only quantity; of several, what theirs
   * begin with.
   */
  name?: string;
  /** Values outside are a failure. By the quantity's name, in its unit. */
  range?: { [quantity: string]: { min: number; max: number } };
  /** A reading is the mean of so many, taken one after the other. */
  average?: number;
  /**
   * A reading is sent when one of these quantities differs by more than so much, in its unit,
   * from what was sent last.
   */
  deadband?: { [quantity: string]: number };
  /** With `deadband`: a reading is sent after this time in any case; 3600 by default. */
  heartbeatSeconds?: number;

  /** As Espruino names it, for drivers that need one. */
  pin?: string;
  /** ds18b20: the 16 hexadecimal digits of one of several on the wire. */
  rom?: string;
  /** ds18b20: it has no supply but the wire. */
  parasite?: boolean;
  /** analogue: SenML unit, and the exponent of ten of what is sent. */
  unit?: string;
  exponent?: number;
  /** analogue: value in its unit = scale * share of the converter's range + offset. */
  scale?: number;
  offset?: number;
  /** digital, pulses: on is the low level. */
  activeLow?: boolean;
  /** digital, pulses: a contact has to be still for so long. */
  debounceMs?: number;
  /** digital: least time between two events. */
  eventSeconds?: number;
}

/** What differs from device to device, written to flash as coseflow.json beside the bundle. */
export interface Settings {
  /** Up to four, in the order of preference. */
  brokers: Broker[];
  /** The cloud's public key, an uncompressed P-256 point: in flash its 130 hexadecimal digits. */
  cloudPublicKey: Bytes;
  /** On a board whose network is Wi-Fi: one or two, in flash also one without the list. */
  wifi: WifiNetwork[];
  /** Topic prefix, where it is not the profile's own. */
  topicPrefix?: string;
  /** Seconds without a receipt before the first repeat, where it is not the default of 60. */
  receiptSeconds?: number;
}

/** Name of the settings in flash. */
export const SETTINGS_FILE = "coseflow.json";

/** Refuses settings that the device could not work with; returns them in their checked form. */
export function checkSettings(value: unknown, board: Board): Settings {
  const settings = value as Settings;
  if (!settings || typeof settings !== "object")
    fail("argument", SETTINGS_FILE + ", expected the device's settings in flash, got none");
  const network = checkNetwork(SETTINGS_FILE, settings, board.network === "wifi");
  const key: unknown = settings.cloudPublicKey;
  const point = typeof key === "string" ? fromHex(key) : undefined;
  if (point === undefined || point.length !== 65 || point.charCodeAt(0) !== 4)
    fail("argument", SETTINGS_FILE + ", expected cloudPublicKey as 130 hexadecimal digits from 04");
  settings.cloudPublicKey = point;
  settings.brokers = network.brokers;
  settings.wifi = network.wifi;
  return settings;
}
