/**
 * What may change on a device in the field: the parameters of the command `update`, and
 * the settings that come with `enrolled`. A map of small integers, each at most once and in
 * order; SPEC.md has the table. Shapes and bounds of the wire are checked here; whether a
 * board can work with the values is for the device to say.
 */
import type { Bytes } from "./bytes.ts";
import { ARRAY, MAP, UNSIGNED } from "./cbor.ts";
import { type Reader, readBoolean, readText } from "./cbor-reader.ts";
import { createContentParts } from "./content-parts.ts";
import { fail } from "./errors.ts";

/** Keys of the map. */
export const KEY_SENSORS = 1;
export const KEY_WIFI = 2;
export const KEY_BROKERS = 3;
export const KEY_CLOUD_CERTIFICATE = 4;
export const KEY_REGISTRAR_CERTIFICATE = 5;
export const KEY_ISSUED_NOT_BEFORE = 6;
export const KEY_DEVICE_COUNTER = 7;
export const KEY_ROLL = 8;

/** The last key of what `enrolled` may set: moving the counter and rolling the key are commands. */
export const LAST_SETTING = KEY_ISSUED_NOT_BEFORE;
/** The last key of what `update` may do. */
export const LAST_UPDATE = KEY_ROLL;

/** Of sensors in one message; a board has fewer. */
export const MAX_SENSORS = 16;
/** As many as a device's settings hold: more would only be tried in vain before the right one's turn. */
export const MAX_WIFI = 2;
export const MAX_BROKERS = 4;
/** Seconds between two readings: a week. */
export const MAX_PERIOD = 604800;

/** Espruino's buffers hold 31 bytes of an SSID's 32, and cut the rest off without a word. */
export const MAX_SSID = 31;
/** Of a WPA passphrase (IEEE 802.11 annex J.4); a key of 64 digits would be cut to 63. */
export const MIN_PASSPHRASE = 8;
export const MAX_PASSPHRASE = 63;
/** IPv4 in its usual form: 0.0.0.0 to 255.255.255.255. */
const MIN_ADDRESS = 7;
const MAX_ADDRESS = 15;
/** A name in DNS (RFC 1035 section 2.3.4). */
export const MAX_HOST = 253;

/** Of one sensor, by its place in the board file: how often it is read, and what becomes of its readings. */
export interface SensorUpdate {
  sensor: number;
  periodSeconds: number;
  qos: 0 | 1;
  drop: "oldest" | "newest";
}

/** Text is UTF-8 as bytes, here and below. */
export interface WifiUpdate {
  ssid: Bytes;
  /** Empty for an open network. */
  password: Bytes;
  address?: { ip: Bytes; netmask: Bytes; gateway: Bytes };
}

export interface BrokerUpdate {
  host: Bytes;
  port: number;
  username?: Bytes;
  password?: Bytes;
  tls: boolean;
  maxQos: 1 | 2;
}

/** What is undefined stays as it is; a list replaces the whole list. */
export interface Update {
  sensors?: SensorUpdate[];
  wifi?: WifiUpdate[];
  brokers?: BrokerUpdate[];
  /** DER, to be checked against the anchor as any other. */
  cloudCertificate?: Bytes;
  registrarCertificate?: Bytes;
  /** Unix seconds by role, 0 for no change; lower than before is no change either. */
  issuedNotBefore?: { cloud: number; registrar: number; provisioner: number };
  /** To be moved to, after a restored flash; never back. */
  deviceCounter?: number;
  roll?: true;
}

/** The device's part, and the cloud's look at what it has just written. */
export function createUpdateReader() {
  const parts = createContentParts();

  function readNumber(reader: Reader, least: number, most: number, what: string): number {
    const value = reader.head(UNSIGNED);
    if (value < least || value > most)
      fail("form", what + ", expected " + least + " to " + most + ", got " + value);
    return value;
  }

  function readCount(reader: Reader, most: number, what: string): number {
    const count = reader.head(ARRAY);
    if (count < 1 || count > most)
      fail("size", what + ", expected 1 to " + most + ", got " + count);
    return count;
  }

  /** Text of `least` to `most` bytes; never quoted, since it may be a password. */
  function checkText(text: Bytes, least: number, most: number, what: string): Bytes {
    if (text.length < least || text.length > most)
      fail("size", what + ", expected " + least + " to " + most + " bytes, got " + text.length);
    return text;
  }

  function readBounded(reader: Reader, least: number, most: number, what: string): Bytes {
    const text = readText(reader);
    return checkText(text, least, most, what);
  }

  function readSensors(reader: Reader): SensorUpdate[] {
    const sensors: SensorUpdate[] = [];
    for (let count = readCount(reader, MAX_SENSORS, "sensors"); count > 0; count--) {
      reader.exactly("\x84", "sensor of an update");
      const sensor = readNumber(reader, 0, MAX_SENSORS - 1, "place of a sensor");
      const periodSeconds = readNumber(reader, 1, MAX_PERIOD, "period of a sensor");
      const qos = readNumber(reader, 0, 1, "QoS of a sensor") as 0 | 1;
      const drop = readNumber(reader, 0, 1, "drop policy of a sensor");
      sensors.push({
        sensor: sensor,
        periodSeconds: periodSeconds,
        qos: qos,
        drop: drop === 1 ? "newest" : "oldest",
      });
    }
    return sensors;
  }

  function readWifi(reader: Reader): WifiUpdate[] {
    const networks: WifiUpdate[] = [];
    for (let count = readCount(reader, MAX_WIFI, "Wi-Fi networks"); count > 0; count--) {
      const elements = reader.head(ARRAY);
      if (elements !== 2 && elements !== 5)
        fail("profile", "Wi-Fi network, expected 2 or 5 elements, got " + elements);
      const ssid = readBounded(reader, 1, MAX_SSID, "SSID");
      const password = readText(reader);
      if (password !== "") checkText(password, MIN_PASSPHRASE, MAX_PASSPHRASE, "Wi-Fi password");
      const network: WifiUpdate = { ssid: ssid, password: password };
      if (elements === 5) {
        const ip = readBounded(reader, MIN_ADDRESS, MAX_ADDRESS, "Wi-Fi address");
        const netmask = readBounded(reader, MIN_ADDRESS, MAX_ADDRESS, "Wi-Fi netmask");
        const gateway = readBounded(reader, MIN_ADDRESS, MAX_ADDRESS, "Wi-Fi gateway");
        network.address = { ip: ip, netmask: netmask, gateway: gateway };
      }
      networks.push(network);
    }
    return networks;
  }

  function readBrokers(reader: Reader): BrokerUpdate[] {
    const brokers: BrokerUpdate[] = [];
    for (let count = readCount(reader, MAX_BROKERS, "brokers"); count > 0; count--) {
      reader.exactly("\x86", "broker of an update");
      const host = readBounded(reader, 1, MAX_HOST, "broker host");
      const port = readNumber(reader, 1, 65535, "broker port");
      const username = readText(reader);
      const password = readText(reader);
      if (username === "" && password !== "")
        fail("form", "broker, expected a user name beside its password, got none");
      const tls = readBoolean(reader);
      const maxQos = readNumber(reader, 1, 2, "broker QoS") as 1 | 2;
      const broker: BrokerUpdate = { host: host, port: port, tls: tls, maxQos: maxQos };
      if (username !== "") broker.username = username;
      if (password !== "") broker.password = password;
      brokers.push(broker);
    }
    return brokers;
  }

  function readCertificate(reader: Reader): Bytes {
    const certificate = reader.bytes();
    if (certificate.length === 0) fail("size", "certificate, expected its bytes, got none");
    return certificate;
  }

  function readIssuedNotBefore(reader: Reader) {
    reader.exactly("\x83", "issued not before");
    const cloud = parts.readTime(reader, "issued not before");
    const registrar = parts.readTime(reader, "issued not before");
    const provisioner = parts.readTime(reader, "issued not before");
    return { cloud: cloud, registrar: registrar, provisioner: provisioner };
  }

  /** Reads the map; "profile" for a key after `lastKey`, twice, or out of order. */
  return function readUpdate(reader: Reader, lastKey: number): Update {
    const update: Update = {};
    let before = 0;
    for (let count = reader.head(MAP); count > 0; count--) {
      const key = reader.head(UNSIGNED);
      if (key <= before || key > lastKey)
        fail(
          "profile",
          "key of an update, expected " + (before + 1) + " to " + lastKey + ", got " + key,
        );
      before = key;
      if (key === KEY_SENSORS) update.sensors = readSensors(reader);
      else if (key === KEY_WIFI) update.wifi = readWifi(reader);
      else if (key === KEY_BROKERS) update.brokers = readBrokers(reader);
      else if (key === KEY_CLOUD_CERTIFICATE) update.cloudCertificate = readCertificate(reader);
      else if (key === KEY_REGISTRAR_CERTIFICATE)
        update.registrarCertificate = readCertificate(reader);
      else if (key === KEY_ISSUED_NOT_BEFORE) update.issuedNotBefore = readIssuedNotBefore(reader);
      else if (key === KEY_DEVICE_COUNTER) update.deviceCounter = parts.readDeviceCounter(reader);
      else {
        reader.exactly("\xf5", "roll of an update");
        update.roll = true;
      }
    }
    return update;
  };
}
