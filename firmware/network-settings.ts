import { fail } from "../protocol/errors.ts";
import {
  MAX_BROKERS,
  MAX_HOST,
  MAX_PASSPHRASE,
  MAX_SSID,
  MAX_WIFI,
  MIN_PASSPHRASE,
} from "../protocol/update-parameters.ts";
import type { Broker } from "./mqtt/broker.ts";

export interface WifiNetwork {
  ssid: string;
  /** Empty for an open network. */
  password: string;
  /** Without one the network's DHCP gives it. */
  address?: { ip: string; netmask: string; gateway: string };
}

/** Of a user name or password: a signed token has about 1,000 bytes. All are held in memory. */
const MAX_CREDENTIAL = 2048;

/** What the settings say of the network, checked. */
export interface NetworkSettings {
  brokers: Broker[];
  /** At least one where the board's network is Wi-Fi. */
  wifi: WifiNetwork[];
}

/**
 * Checks `brokers` and, for a board with Wi-Fi, `wifi`. Called once, at boot: all of it is
 * one function, so that nothing of it stays. Passwords are never quoted in an error.
 */
export function checkNetwork(
  file: string,
  settings: { brokers?: unknown; wifi?: unknown },
  hasWifi: boolean,
): NetworkSettings {
  function refuse(where: string, expected: string, got: string): never {
    return fail("argument", `${file} ${where}, expected ${expected}, got ${got}`);
  }

  /** What a wrong value is called: its type, or the number itself. */
  function kindOf(value: unknown): string {
    if (value === undefined) return "none";
    if (typeof value === "string") return `text of ${value.length} characters`;
    if (typeof value === "number" || typeof value === "boolean") return `${value}`;
    return Array.isArray(value) ? `a list of ${value.length}` : "something else";
  }

  function checkList(where: string, value: unknown, most: number): unknown[] {
    if (!Array.isArray(value) || value.length < 1 || value.length > most)
      refuse(where, `a list of 1 to ${most}`, kindOf(value));
    return value as unknown[];
  }

  /** A misspelt name would be a setting that is silently not there. */
  function checkNames(where: string, value: unknown, names: string[]): void {
    if (!value || typeof value !== "object" || Array.isArray(value))
      refuse(where, "an object", kindOf(value));
    Object.keys(value as object).forEach(function (name) {
      if (names.indexOf(name) < 0) refuse(where, `only ${names.join(", ")}`, name);
    });
  }

  function checkText(where: string, value: unknown, least: number, most: number): void {
    if (typeof value !== "string" || value.length < least || value.length > most)
      refuse(where, `text of ${least} to ${most} characters`, kindOf(value));
  }

  /** An IPv4 address in its usual form as a number; undefined for anything else. */
  function parseAddress(text: unknown): number | undefined {
    if (typeof text !== "string") return undefined;
    const parts = text.split(".");
    const isByte = (part: string) => `${Number(part)}` === part && Number(part) < 256;
    if (parts.length !== 4 || !parts.every(isByte)) return undefined;
    return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
  }

  function readAddress(where: string, text: unknown): number {
    const address = parseAddress(text);
    if (address === undefined) return refuse(where, "four numbers up to 255", kindOf(text));
    return address;
  }

  function checkAddress(where: string, value: unknown): void {
    checkNames(where, value, ["ip", "netmask", "gateway"]);
    const address = value as { ip: unknown; netmask: unknown; gateway: unknown };
    const ip = readAddress(`${where}.ip`, address.ip);
    const netmask = readAddress(`${where}.netmask`, address.netmask);
    const gateway = readAddress(`${where}.gateway`, address.gateway);
    // Ones, then zeros: the addresses of the network are a power of two, from a multiple of it.
    const size = 4294967296 - netmask;
    if (size < 4 || size > 16777216 || (size & (size - 1)) !== 0)
      refuse(`${where}.netmask`, "255.0.0.0 to 255.255.255.252", `${address.netmask}`);
    if (ip === gateway || Math.floor(ip / size) !== Math.floor(gateway / size))
      refuse(`${where}.gateway`, "another address of the same network", `${address.gateway}`);
    const host = ip % size;
    if (host === 0 || host === size - 1 || ip < 16777216)
      refuse(`${where}.ip`, "the address of a device", `${address.ip}`);
  }

  /** Visible ASCII, without the slash of a URL. */
  function isHost(text: string): boolean {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < 33 || code > 126 || code === 47) return false;
    }
    return true;
  }

  function checkBroker(where: string, value: unknown): Broker {
    checkNames(where, value, ["host", "port", "username", "password", "tls", "maxQos"]);
    const broker = value as Broker;
    checkText(`${where}.host`, broker.host, 1, MAX_HOST);
    if (!isHost(broker.host))
      refuse(`${where}.host`, "a host name or address", "other characters in it");
    const port: unknown = broker.port;
    if (typeof port !== "number" || !(port > 0 && port < 65536 && port % 1 === 0))
      refuse(`${where}.port`, "1 to 65535", kindOf(port));
    if (broker.username !== undefined)
      checkText(`${where}.username`, broker.username, 1, MAX_CREDENTIAL);
    if (broker.password !== undefined) {
      checkText(`${where}.password`, broker.password, 1, MAX_CREDENTIAL);
      if (broker.username === undefined) refuse(`${where}.username`, "one with a password", "none");
    }
    if (broker.tls !== undefined && typeof broker.tls !== "boolean")
      refuse(`${where}.tls`, "true or false", kindOf(broker.tls));
    if (broker.maxQos !== undefined && broker.maxQos !== 1 && broker.maxQos !== 2)
      refuse(`${where}.maxQos`, "1 or 2", kindOf(broker.maxQos));
    return broker;
  }

  function checkWifi(where: string, value: unknown): WifiNetwork {
    checkNames(where, value, ["ssid", "password", "address"]);
    const network = value as WifiNetwork;
    checkText(`${where}.ssid`, network.ssid, 1, MAX_SSID);
    if (network.password !== "")
      checkText(`${where}.password`, network.password, MIN_PASSPHRASE, MAX_PASSPHRASE);
    if (network.address !== undefined) checkAddress(`${where}.address`, network.address);
    return network;
  }

  const brokers = checkList("brokers", settings.brokers, MAX_BROKERS).map((value, index) =>
    checkBroker(`brokers[${index}]`, value),
  );
  if (!hasWifi) return { brokers: brokers, wifi: [] };

  const one = settings.wifi;
  const list = one && !Array.isArray(one) ? [one] : one;
  const wifi = checkList("wifi", list, MAX_WIFI).map((value, index) =>
    checkWifi(`wifi[${index}]`, value),
  );
  const addressed = wifi.filter((network) => network.address !== undefined).length;
  // Espruino has no call that goes back to DHCP, and none that names a DNS server.
  if (addressed > 0 && addressed < wifi.length)
    refuse("wifi", "an address for every network or for none", `${addressed} of ${wifi.length}`);
  brokers.forEach(function (broker, index) {
    if (addressed > 0 && parseAddress(broker.host) === undefined)
      refuse(`brokers[${index}].host`, "an IP address beside wifi.address (no DNS)", broker.host);
  });
  return { brokers: brokers, wifi: wifi };
}
