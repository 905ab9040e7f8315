/**
 * The life of the device as a table: where it is, and what may happen there. SPEC.md
 * shows the same table. A move that is not in it is a mistake of the program, is
 * refused and changes nothing.
 */
import { fail } from "../protocol/errors.ts";
import type { Log } from "./ports.ts";

/** Power is there, nothing is known yet. */
export const BOOT = 0;
/** The device's key is opened, or made. */
export const IDENTITY = 1;
/** Sensors are read and sealed; no connection to a broker. */
export const NETWORK = 2;
/** Connected; the cloud has not confirmed the newest session. */
export const OPENING = 3;
/** Connected; readings go out. */
export const STREAMING = 4;
/** Too many boots in a row, no way to start, or told to: the console only, until a reset. */
export const SAFE = 5;

export const STATE_NAMES = "boot identity network opening streaming safe".split(" ");

/** It may start: boots are not too many, nobody holds the button. */
export const STARTED = 0;
/** It must not start, or cannot. */
export const UNSAFE = 1;
/** Key and session are there. */
export const READY = 2;
/** MQTT is connected and subscribed. */
export const CONNECTED = 3;
/** The connection has ended. */
export const DISCONNECTED = 4;
/** A receipt has listed the newest session. */
export const RECEIPTED = 5;
/** A new session follows the newest, not receipted yet. */
export const OPENED = 6;

export const EVENT_NAMES = "started unsafe ready connected disconnected receipted opened".split(
  " ",
);

const NO = -1;

/** Rows are states, columns events; a cell is the next state, or NO. */
export const MOVES = [
  // started, unsafe, ready, connected, disconnected, receipted, opened
  [IDENTITY, SAFE, NO, NO, NO, NO, NO], // BOOT
  [NO, SAFE, NETWORK, NO, NO, IDENTITY, IDENTITY], // IDENTITY
  [NO, NO, NO, OPENING, NO, NETWORK, NETWORK], // NETWORK
  [NO, NO, NO, NO, NETWORK, STREAMING, OPENING], // OPENING
  [NO, NO, NO, NO, NETWORK, STREAMING, OPENING], // STREAMING
  [NO, NO, NO, NO, NO, NO, NO], // SAFE
];

/** Each new state is logged. */
export function createLife(log: Log) {
  let state = BOOT;
  let receipted = false;

  function move(event: number): void {
    const row = MOVES[state] as number[];
    const next = row[event];
    if (next === undefined || next === NO)
      fail(
        "argument",
        "device, expected no " + EVENT_NAMES[event] + " while " + STATE_NAMES[state],
      );
    if (event === RECEIPTED) receipted = true;
    if (event === OPENED) receipted = false;
    if (next === state) return;
    state = next;
    log("state: " + STATE_NAMES[state]);
    // A session that was receipted before this connection has nothing to wait for.
    if (state === OPENING && receipted) move(RECEIPTED);
  }

  return {
    move: move,
    state: () => state,
    name: () => STATE_NAMES[state] as string,
  };
}
export type Life = ReturnType<typeof createLife>;
