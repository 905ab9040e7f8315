/** Values of options: a wrong one is a wrong command line, with the reason. */
import { InvalidArgumentError } from "@commander-js/extra-typings";
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

/** A broker's URL that a device can use too. */
export function parseDeviceBroker(url: string): string {
  try {
    brokerSettings(url);
    return url;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
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
