/** The networks, brokers and times of an update, from options and files. */
import { InvalidArgumentError } from "@commander-js/extra-typings";
import { JUDGED_ROLES, type JudgedRole } from "../../cloud/operator/lock-out.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import type { BrokerUpdate, Update, WifiUpdate } from "../../protocol/update-parameters.ts";
import { readText } from "../board/read-file.ts";
import { brokerSettings } from "./broker-settings.ts";
import { parseDeviceBroker } from "./parse.ts";

export const WIFI_VARIABLE = "COSEFLOW_WIFI_PASSWORD";
/** Named in a broker's URL, as in settings: 1 for a broker without QoS 2. */
const MAX_QOS = "maxQos";

export function collect(text: string, before: string[] = []): string[] {
  return [...before, text];
}

const utf8 = (text: string) => Buffer.from(text, "utf8").toString("latin1") as Bytes;

/** One password a line, in the order of the networks; an empty line is an open network. */
function passwordLines(file: string | undefined): string[] | undefined {
  if (file === undefined) return process.env[WIFI_VARIABLE]?.split("\n");
  return readText(file)
    .replace(/\r?\n$/, "")
    .split(/\r?\n/);
}

export function wifiUpdates(
  ssids: string[] | undefined,
  passwordFile: string | undefined,
): WifiUpdate[] | undefined {
  if (ssids === undefined) return undefined;
  const passwords =
    passwordFile === undefined
      ? process.env[WIFI_VARIABLE]?.split("\n")
      : passwordLines(passwordFile);
  if (passwords?.length !== ssids.length)
    throw new InvalidArgumentError(
      `Wi-Fi passwords, expected ${ssids.length}, one a line in --wifi-password-file or ` +
        `${WIFI_VARIABLE} (an empty line for an open network), got ${passwords?.length ?? 0}`,
    );
  return ssids.map((ssid, at) => ({ ssid: utf8(ssid), password: utf8(passwords[at] ?? "") }));
}

export function parseNewBroker(url: string, before: string[] = []): string[] {
  parseDeviceBroker(url);
  const asked = new URL(url).searchParams.get(MAX_QOS);
  if (asked !== null && asked !== "1" && asked !== "2")
    throw new InvalidArgumentError(`expected ${MAX_QOS} 1 or 2.`);
  return [...before, url];
}

/** A password in a URL counts too, but every user of the machine could see it. */
export function brokerUpdates(
  urls: string[] | undefined,
  passwordFile: string | undefined,
): BrokerUpdate[] | undefined {
  const passwords = passwordFile === undefined ? undefined : passwordLines(passwordFile);
  if (passwords !== undefined && passwords.length !== (urls?.length ?? 0))
    throw new InvalidArgumentError(
      `${passwordFile}, expected a line for each --device-broker, got ${passwords.length}`,
    );
  return urls?.map((url, at) => {
    const { host, port, username, tls = false, ...given } = brokerSettings(url);
    const maxQos = new URL(url).searchParams.get(MAX_QOS) === "1" ? 1 : 2;
    const password = passwords?.[at] || given.password;
    return {
      ...{ host: utf8(host), port, tls, maxQos },
      ...(username === undefined ? {} : { username: utf8(username) }),
      ...(password === undefined ? {} : { password: utf8(password) }),
    };
  });
}

type Bounds = Partial<Record<JudgedRole, number>>;

/** "ROLE=TIME", in Unix seconds as `ca revoke` prints them, or in ISO 8601. */
export function parseIssuedNotBefore(text: string, before: Bounds = {}): Bounds {
  const [, name, time = ""] = /^([a-z]+)=(\S+)$/.exec(text) ?? [];
  const role = JUDGED_ROLES.find((one) => one === name);
  const seconds = /^\d+$/.test(time) ? Number(time) : Math.ceil(Date.parse(time) / 1000);
  if (role === undefined || !(seconds > 0))
    throw new InvalidArgumentError(
      `expected ${JUDGED_ROLES.join(", ")}, "=" and a time, such as cloud=1800000000.`,
    );
  return { ...before, [role]: seconds };
}

/** 0 changes nothing. */
export function issuedNotBeforeOf(bounds: Bounds | undefined): Update["issuedNotBefore"] {
  return bounds && { cloud: 0, registrar: 0, provisioner: 0, ...bounds };
}
