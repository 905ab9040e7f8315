import { types } from "node:util";
import type { Realm } from "./realm.ts";

/** Takes one line, without its line end. */
export type ConsoleLine = (line: string) => void;

/** Deepest call sites shown below an uncaught error; Espruino prints a few, too. */
const shownCalls = 5;

/** An uncaught error as the interpreter prints it: what, then where. */
export function uncaughtLines(thrown: unknown, bundleName: string): string[] {
  if (!types.isNativeError(thrown)) return [`Uncaught ${String(thrown)}`];
  const calls = (thrown.stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line) && line.includes(bundleName))
    .slice(0, shownCalls);
  return [`Uncaught ${thrown.constructor.name}: ${thrown.message}`, ...calls];
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
