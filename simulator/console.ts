import { types } from "node:util";
import type { Events } from "./events.ts";
import type { Loop } from "./loop.ts";
import type { Realm } from "./realm.ts";

/** Takes one line, without its line end. */
export type ConsoleLine = (line: string) => void;

/** Deepest call sites shown below an uncaught error; Espruino prints a few, too. */
const shownCalls = 5;
/** Devices that a console can be put on; the lines of the first two are not told apart. */
const devices = ["Serial1", "USB", "LoopbackA"];

/** An uncaught error as the interpreter prints it: what, then where. */
export function uncaughtLines(thrown: unknown, bundleName: string): string[] {
  if (!types.isNativeError(thrown)) return [`Uncaught ${String(thrown)}`];
  const calls = (thrown.stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line) && line.includes(bundleName))
    .slice(0, shownCalls);
  return [`Uncaught ${thrown.constructor.name}: ${thrown.message}`, ...calls];
}

/** The line to the person: open until the program takes it away. */
export interface Console {
  print: ConsoleLine;
  /** Runs a line and prints its value; nothing happens while there is no console. */
  run(text: string): void;
  /** E.setConsole and E.getConsole. */
  set(device: unknown): void;
  get(): string | null;
}

export function createConsole(
  realm: Realm,
  loop: Loop,
  events: Events,
  line: ConsoleLine,
): Console {
  let device: string | null = "Serial1";

  function print(text: string): void {
    if (device === "LoopbackA")
      events.emit(realm.global("LoopbackB") as object, "data", [`${text}\r\n`]);
    else if (device !== null) line(text);
  }

  /** Also of the device's own object. */
  function nameOf(value: unknown): string {
    return devices.find((name) => value === realm.global(name)) ?? String(value);
  }

  return {
    print,
    run(text) {
      if (device === null) return;
      loop.run(() => print(`=${realm.text(realm.evaluate(text, "console"))}`));
    },
    set(value) {
      if (value !== null && !devices.includes(nameOf(value)))
        throw new Error(`Unknown device type "${nameOf(value)}"`);
      device = value === null ? null : nameOf(value);
    },
    get: () => device,
  };
}

/** `print` and `console`: every value as text, separated by spaces. */
export function defineConsole(realm: Realm, line: ConsoleLine): void {
  const print = (...values: unknown[]) => {
    const text = values.map((value) => realm.text(value)).join(" ");
    for (const part of text.split("\n")) line(part);
  };
  realm.define("print", realm.door(print));
  const names = ["log", "debug", "info", "warn", "error"];
  const members = Object.fromEntries(names.map((name) => [name, print]));
  realm.define("console", realm.object(members));
}
