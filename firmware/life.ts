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
/** Connected; it waits for a certificate, the cloud's or its own, and seals no reading. */
export const ENROLLING = 3;
/** Connected; the cloud has not confirmed the newest session. */
export const OPENING = 4;
/** Connected; readings go out. */
export const STREAMING = 5;
/** Too many boots in a row, no way to start, or told to: the console only, until a reset. */
export const SAFE = 6;
/** Taken out of service by its owner: no session is opened any more. */
export const DEPROVISIONED = 7;

export const STATE_NAMES =
  "boot identity network enrolling opening streaming safe deprovisioned".split(" ");

/** It may start: boots are not too many, nobody holds the button. */
export const STARTED = 0;
/** It must not start, or cannot. */
export const UNSAFE = 1;
/** The key is there, and all that a connection needs. */
export const READY = 2;
/** MQTT is connected and subscribed, with a session to send. */
export const CONNECTED = 3;
/** The same without one: a certificate is still to come. */
export const ASKING = 4;
/** The connection has ended. */
export const DISCONNECTED = 5;
/** A receipt has listed the newest session. */
export const RECEIPTED = 6;
/** A new session follows the newest, not receipted yet. */
export const OPENED = 7;
/** A command to delete has been carried out. */
export const DELETED = 8;

export const EVENT_NAMES =
  "started unsafe ready connected asking disconnected receipted opened deleted".split(" ");

const NO = -1;

/** Rows are states, columns events; a cell is the next state, or NO. */
export const MOVES = [
  // started, unsafe, ready, connected, asking, disconnected, receipted, opened, deleted
  [IDENTITY, SAFE, NO, NO, NO, NO, NO, NO, NO], // BOOT
  [NO, SAFE, NETWORK, NO, NO, NO, IDENTITY, IDENTITY, DEPROVISIONED], // IDENTITY
  [NO, NO, NO, OPENING, ENROLLING, NO, NETWORK, NETWORK, DEPROVISIONED], // NETWORK
  [NO, NO, NO, NO, NO, NETWORK, NO, OPENING, DEPROVISIONED], // ENROLLING
  [NO, NO, NO, NO, NO, NETWORK, STREAMING, OPENING, DEPROVISIONED], // OPENING
  [NO, NO, NO, NO, NO, NETWORK, STREAMING, OPENING, DEPROVISIONED], // STREAMING
  [NO, NO, NO, NO, NO, NO, NO, NO, NO], // SAFE
  [NO, NO, DEPROVISIONED, DEPROVISIONED, DEPROVISIONED, DEPROVISIONED, NO, NO, NO], // DEPROVISIONED
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
