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
/** The program ends: what follows is a boot, and so is a wake. */
export const SLEEPING = 8;
/** It has no Wi-Fi network yet, and takes one over the cable. */
export const SETUP = 9;

/** One text, split when a name is wanted, since each name of a list costs the device variables. */
const STATE_NAMES =
  "boot identity network enrolling opening streaming safe deprovisioned asleep setup";

export function stateName(state: number): string {
  return STATE_NAMES.split(" ")[state] as string;
}

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
/** A board that sleeps deeply has done what there was, or has been awake for long enough. */
export const SLEPT = 9;
/** The settings have no network, and none has been given to it since. */
export const UNSET = 10;

const EVENT_NAMES =
  "started unsafe ready connected asking disconnected receipted opened deleted slept unset";

export function eventName(event: number): string {
  return EVENT_NAMES.split(" ")[event] as string;
}

export const STATES = 10;
export const EVENTS = 11;

/**
 * A line for each state with a character for each event, in the order above: the number of the
 * next state, or a dot for a move that there is not. From the states after the last line none leads.
 */
// biome-ignore format: a line is a row
const MOVES =
  "16........9" + // BOOT
  ".62...117.." + // IDENTITY
  "...43.2278." + // NETWORK
  ".....2.478." + // ENROLLING
  ".....25478." + // OPENING
  ".....25478." + // STREAMING
  "..........." + // SAFE
  "..7777....."; // DEPROVISIONED

/** The next state; undefined for a move that there is not. */
export function findMove(state: number, event: number): number | undefined {
  const cell = MOVES.charAt(state * EVENTS + event);
  return cell === "." || cell === "" ? undefined : Number(cell);
}

/** Each new state is logged. */
export function createLife(log: Log) {
  let state = BOOT;
  let receipted = false;

  function move(event: number): void {
    const next = findMove(state, event);
    if (next === undefined)
      fail("argument", "device, expected no " + eventName(event) + " while " + stateName(state));
    if (event === RECEIPTED) receipted = true;
    if (event === OPENED) receipted = false;
    if (next === state) return;
    state = next;
    log("state: " + stateName(state));
    // A session that was receipted before this connection has nothing to wait for.
    if (state === OPENING && receipted) move(RECEIPTED);
  }

  return {
    move: move,
    state: () => state,
    name: () => stateName(state),
  };
}
export type Life = ReturnType<typeof createLife>;
