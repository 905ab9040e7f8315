import { lowBytes, toByteString } from "./byte-string.ts";
import type { Console } from "./console.ts";
import type { Realm } from "./realm.ts";
import type { Timers } from "./timers.ts";

/** Why a board restarts by itself. */
export type ResetCause = "watchdog" | "reboot";

/** The version this simulator was compared with. */
const version = "2v29";
/** Variables of an ESP32-C3. Their use is not simulated: all of them are always free. */
const variables = 4095;

interface InterpreterPorts {
  realm: Realm;
  timers: Timers;
  boardName: string;
  moduleNames: string[];
  random(): number;
  milliseconds(): number;
  setMilliseconds(now: number): void;
  reset(cause: ResetCause): void;
  console: Pick<Console, "get" | "set">;
}

function watchdog(timers: Timers, reset: () => void) {
  let periodMs = 0;
  let timer: number | undefined;

  function kick(): void {
    if (timer !== undefined) timers.remove(timer);
    timer = periodMs > 0 ? timers.add(reset, periodMs, false) : undefined;
  }

  return {
    enableWatchdog(seconds: number, isAuto: unknown) {
      // By default the interpreter's idle loop kicks it, and that never hangs here.
      periodMs = isAuto === undefined || isAuto ? 0 : seconds * 1000;
      kick();
    },
    kickWatchdog: kick,
  };
}

function bytesOf(...values: unknown[]): Uint8Array {
  return Buffer.from(toByteString(values), "latin1");
}

/** `E`: the few functions of Espruino's own object that firmware here can need. */
function defineE(ports: InterpreterPorts): void {
  const { realm, timers } = ports;
  const members = {
    ...watchdog(timers, () => ports.reset("watchdog")),
    toString: (...values: unknown[]) => toByteString(values),
    toUint8Array: (...values: unknown[]) => realm.bytes(bytesOf(...values)),
    toArrayBuffer: (text: unknown) => realm.bytes(bytesOf(text)).buffer,
    getErrorFlags: () => realm.array([]),
    hwRand: () => ports.random(),
    setConsole: (device: unknown) => ports.console.set(device),
    getConsole: () => ports.console.get(),
    reboot: () => ports.reset("reboot"),
  };
  realm.define("E", realm.object(members));
}

function defineProcess(ports: InterpreterPorts): void {
  const { realm } = ports;
  const env = { VERSION: version, BOARD: ports.boardName, MODULES: ports.moduleNames.join(",") };
  const use = { free: variables, usage: 0, total: variables, history: 0, gc: 0, gctime: 0 };
  realm.define(
    "process",
    realm.object({
      version,
      env: realm.object(env),
      memory: () => realm.object({ ...use, blocksize: 13 }),
    }),
  );
}

/** The globals of the interpreter itself: E, process, time and base64. */
export function defineInterpreter(ports: InterpreterPorts): void {
  const { realm } = ports;
  defineE(ports);
  defineProcess(ports);
  const functions = {
    getTime: () => ports.milliseconds() / 1000,
    setTime: (seconds: number) => ports.setMilliseconds(seconds * 1000),
    btoa: (bytes: unknown) => Buffer.from(lowBytes(String(bytes)), "latin1").toString("base64"),
    atob: (text: unknown) => Buffer.from(String(text), "base64").toString("latin1"),
  };
  for (const [name, host] of Object.entries(functions)) realm.define(name, realm.door(host));
}
