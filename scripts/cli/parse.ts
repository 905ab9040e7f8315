/** Values of options: a wrong one is a wrong command line, with the reason. */
import { InvalidArgumentError } from "@commander-js/extra-typings";
import { checkBroker } from "../../cloud/receiver/broker.ts";
import { parsePublicKey } from "../../cloud/registry.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { LAST_DEVICE_COUNTER } from "../../protocol/content-parts.ts";
import { CLASSES, type MessageClass } from "../../protocol/topics.ts";
import { brokerSettings } from "./broker-settings.ts";

function wholeNumber(text: string, first: number, last: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < first || value > last)
    throw new InvalidArgumentError(`expected a whole number from ${first} to ${last}.`);
  return value;
}

export function parsePort(text: string): number {
  return wholeNumber(text, 0, 65535);
}

export function parseCount(text: string): number {
  return wholeNumber(text, 1, 1_000_000_000);
}

/** Of a device: it fits into 4 bytes. */
export function parseCounter(text: string): number {
  return wholeNumber(text, 1, LAST_DEVICE_COUNTER);
}

export function parseCommandCounter(text: string): number {
  return wholeNumber(text, 1, Number.MAX_SAFE_INTEGER);
}

function checked<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** A broker's URL. */
export function parseBroker(url: string): string {
  checked(() => checkBroker(url));
  return url;
}

/** A broker's URL that a device can use too. */
export function parseDeviceBroker(url: string): string {
  checked(() => brokerSettings(url));
  return url;
}

/** A public key in place, not the name of a file with one. */
export function parseKeyInPlace(text: string): Bytes {
  return checked(() => parsePublicKey(text));
}

export function parseClass(name: string): MessageClass {
  if (!Object.hasOwn(CLASSES, name))
    throw new InvalidArgumentError(`expected one of ${Object.keys(CLASSES).join(", ")}.`);
  return name as MessageClass;
}

/** The same for an option that may be given several times; `before` are those already read. */
export function parseDeviceBrokers(url: string, before: string[] = []): string[] {
  return [...before, parseDeviceBroker(url)];
}

/** The name of a board file: a word, so that it cannot name a file elsewhere. */
export function parseBoard(name: string): string {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name))
    throw new InvalidArgumentError("expected the name of a file in boards/, such as linux.");
  return name;
}

/** A rate of a serial line: what any chip and cable may have. */
export function parseBaud(text: string): number {
  return wholeNumber(text, 9600, 2_000_000);
}
