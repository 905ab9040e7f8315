import { type Bytes, fromHex } from "../protocol/bytes.ts";
import { CLAIM_LENGTH } from "../protocol/enrol-message.ts";
import { fail } from "../protocol/errors.ts";
import type { Broker } from "./mqtt/broker.ts";
import { checkNetwork, type WifiNetwork } from "./network-settings.ts";
import type { CommandPolicy } from "./provision/policy.ts";

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
  /** Deep sleep between readings, of which each sensor then makes one a wake. */
  sleep?: SleepConfig;
  /** In which form commands are taken; all sealed where not given. */
  provisioning?: CommandPolicy;
  /** Hours between two health records, where it is not the default of 24. */
  health?: { periodHours: number };
}

export interface SleepConfig {
  /** From 1 to 2,100: Espruino counts the microseconds of a sleep in 32 bits with a sign. */
  seconds: number;
  /** Awake for at most this long, though something still waits for its receipt; 60 by default. */
  awakeSeconds?: number;
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
   * Tells sensors of one board apart: what the only quantity is called; of several, what their
   * names begin with. The maps below have the quantities' own names, without it.
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
  /** analogue: SenML unit, and how many decimals are sent. */
  unit?: string;
  decimals?: number;
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
  /** On a board whose network is Wi-Fi: one or two, none yet in setup; in flash also one without the list. */
  wifi: WifiNetwork[];
  /** Topic prefix, where it is not the profile's own. */
  topicPrefix?: string;
  /** In place of the board file's. */
  provisioning?: CommandPolicy;
  /** Seconds without a receipt before the first repeat, where it is not the default of 60. */
  receiptSeconds?: number;
}

/** Under which names a device enrols. */
export interface Enrolment {
  /** UTF-8, as the file has it; so is the user id. */
  deviceId: Bytes;
  userId: Bytes;
  /** 16 bytes, in flash 32 hexadecimal digits; undefined where the key was registered before. */
  claim: Bytes | undefined;
}

/**
 * Whom the device believes and who it is, of the same file. Needed now and then: it is
 * read from flash each time, and takes no memory in between.
 */
export interface Provisioning {
  /** The root certificate, and one of the cloud: DER, in flash as hexadecimal digits. */
  anchor: Bytes;
  cloudCertificate: Bytes;
  /** Unix seconds: of the bundle, not of the file. */
  buildTime: number;
  /** Who it is to be; undefined where its key is registered by hand and it does not enrol. */
  enrolment: Enrolment | undefined;
}

/** Name of the settings in flash. */
export const SETTINGS_FILE = "coseflow.json";

/** What checkProvisioning reads, and nobody keeps in memory. */
const PROVISIONING = "anchor cloudCertificate deviceId userId claim".split(" ");

/** Of a certificate: `ca` makes some of 500, and the largest message downward has 1,024. */
const MAX_CERTIFICATE = 1024;

function requireObject(value: unknown): object {
  if (!value || typeof value !== "object")
    fail("argument", SETTINGS_FILE + ", expected the device's settings in flash, got none");
  return value as object;
}

/**
 * Refuses settings that the device could not work with; returns them in their checked form. Without
 * `wifi` they have none: that one thing can be given to a board later.
 */
export function checkSettings(value: unknown, board: Board): Settings {
  const settings = requireObject(value) as Settings & { [name: string]: unknown };
  const hasWifi = board.network === "wifi" && settings.wifi !== undefined;
  const network = checkNetwork(SETTINGS_FILE, settings, hasWifi);
  settings.brokers = network.brokers;
  settings.wifi = network.wifi;
  PROVISIONING.forEach(function (name) {
    delete settings[name];
  });
  return settings;
}

/** As checkSettings, for the other part of the same file. */
export function checkProvisioning(value: unknown, buildTime: number): Provisioning {
  const settings = requireObject(value) as { [name: string]: unknown };

  function certificate(name: string): Bytes {
    const digits = settings[name];
    const der = typeof digits === "string" ? fromHex(digits) : undefined;
    if (der === undefined || der.charCodeAt(0) !== 0x30 || der.length > MAX_CERTIFICATE)
      return fail(
        "argument",
        SETTINGS_FILE + ": " + name + ", expected a certificate in hexadecimal digits from 30",
      );
    return der;
  }

  function id(name: string): Bytes {
    const value = settings[name];
    if (typeof value !== "string" || value === "")
      return fail("argument", SETTINGS_FILE + ": " + name + ", expected text, got none");
    return value as Bytes;
  }

  function enrolment(): Enrolment | undefined {
    const names = [settings.deviceId, settings.userId, settings.claim];
    if (names.every((value) => value === undefined)) return undefined;
    const digits = settings.claim;
    const claim = typeof digits === "string" ? fromHex(digits) : undefined;
    // Never quoted: it is a secret.
    if (digits !== undefined && (claim === undefined || claim.length !== CLAIM_LENGTH))
      fail("argument", SETTINGS_FILE + ": claim, expected 32 hexadecimal digits");
    return { deviceId: id("deviceId"), userId: id("userId"), claim: claim };
  }

  return {
    anchor: certificate("anchor"),
    cloudCertificate: certificate("cloudCertificate"),
    buildTime: buildTime,
    enrolment: enrolment(),
  };
}
