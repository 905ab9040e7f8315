/**
 * A new key for the device: `update` with key 8. The reply to it carries the new key's request
 * and is signed by the old key; the delivery sends it until it is erased, since no receipt lists
 * it. `enrolled` answers it. When the cloud has all that the old key signed or sealed, one write
 * takes the new key into use, and the board restarts: nothing in memory is of the old one then.
 * The cloud closes the old key with the new one's first session; its receipt ends the roll.
 *
 * Each step can be done again: a power cut repeats it, or what was awaited comes again.
 */
import type { Bytes } from "../../protocol/bytes.ts";
import type { Command } from "../../protocol/command-content.ts";
import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import { STATUS_ROLLED } from "../../protocol/reply-message.ts";
import type { Board, Provisioning } from "../config.ts";
import type { Delivery } from "../delivery.ts";
import { EVENT_RECORD, MAX_EVENTS, MAX_REPLIES, REPLY_RECORD } from "../event-list.ts";
import type { Log } from "../ports.ts";
import { type Identity, MAX_SESSIONS } from "../session.ts";
import { SESSION_RECORD } from "../session-list.ts";
import { readSigned } from "../signed-records.ts";
import { openTrust } from "../trust.ts";
import type { Outcome } from "./command.ts";
import { REPLIED, readCommandRecord, writeCommandRecord } from "./command-record.ts";
import { ENROL_RECORD } from "./enrol.ts";
import {
  ASKED,
  CHANGED,
  endRoll,
  isExpired,
  keyIdOf,
  otherIdOf,
  type Roll,
  readRoll,
  writeRoll,
} from "./roll-record.ts";

/** While the new key waits for a quiet moment no sensor is read more often than this. */
const QUIET_SECONDS = 30;

/** False while another roll is on its way, or an enrolment of the key in use. */
export function mayRoll(crypto: DeviceCrypto, log: Log, command: Command): boolean {
  const roll = readRoll(crypto, log);
  if (roll) return roll.step === ASKED && roll.counter === command.counter;
  return crypto.readRecord(ENROL_RECORD + "0") === undefined;
}

/** Makes the new key, once; without it nothing is left of the roll. */
export function beginRoll(
  crypto: DeviceCrypto,
  log: Log,
  identity: Identity,
  command: Command,
): Outcome {
  const roll = readRoll(crypto, log) || {
    used: identity.id === keyIdOf(0) ? 0 : 1,
    step: ASKED,
    counter: command.counter,
    since: command.issued,
    request: "" as Bytes,
  };
  try {
    // First: a key that no record tells of would be one too many.
    writeRoll(crypto, roll);
    return { status: STATUS_ROLLED, detail: crypto.writeCsr(crypto.openKey(otherIdOf(roll))) };
  } catch (error) {
    endRoll(crypto, roll);
    throw error;
  }
}

export type RollDelivery = Pick<Delivery, "newest" | "queued" | "sessions">;

export interface RollPorts {
  crypto: DeviceCrypto;
  log: Log;
  provisioning: Provisioning;
  board: Board;
  /** The roll has come a step further. */
  enrol: () => void;
}

/** Nothing is left that only the key in use can deliver, but for the reply that asked for another. */
function isQuiet(ports: RollPorts, delivery: RollDelivery, roll: Roll): boolean {
  const crypto = ports.crypto;
  const command = readCommandRecord(crypto, ports.log);
  const signed = readSigned(crypto, EVENT_RECORD, "event", MAX_EVENTS).concat(
    readSigned(crypto, REPLY_RECORD, "reply", MAX_REPLIES),
  );
  return (
    delivery.queued() === 0 &&
    delivery.sessions().every((session) => session.receipted) &&
    signed.every((each) => each.hash === roll.request) &&
    (command === undefined || command.phase === REPLIED)
  );
}

/** All that the key in use has signed, and its repetition with it. */
function forgetSigned(crypto: DeviceCrypto): void {
  function forget(prefix: string, count: number): void {
    for (let i = 0; i < count; i++) crypto.eraseRecord(prefix + i);
  }
  forget(SESSION_RECORD, MAX_SESSIONS);
  forget(EVENT_RECORD, MAX_EVENTS);
  forget(REPLY_RECORD, MAX_REPLIES);
}

/** Its command, should it come again, is stale then: the stored reply tells of a key that is gone. */
function giveUp(ports: RollPorts, roll: Roll): void {
  const crypto = ports.crypto;
  const command = readCommandRecord(crypto, ports.log);
  if (command && command.counter === roll.counter) {
    command.hash = "" as Bytes;
    writeCommandRecord(crypto, command);
  }
  endRoll(crypto, roll);
  ports.log("new key without a certificate for too long: erased");
}

/** Goes on where something was waited for. True when the board has to restart at once. */
export function continueRoll(ports: RollPorts, delivery: RollDelivery): boolean {
  const crypto = ports.crypto;
  const roll = readRoll(crypto, ports.log);
  if (!roll) return false;
  if (roll.step === CHANGED) {
    if (!delivery.newest().receipted) return false;
    endRoll(crypto, roll);
    ports.log("new key known to the cloud: the old one is erased");
    ports.enrol();
    return false;
  }
  const isOver =
    roll.step === ASKED && isExpired(roll, openTrust(crypto, ports.provisioning, ports.log).floor);
  if (roll.step === ASKED && !isOver) return false;
  if (!isQuiet(ports, delivery, roll)) {
    ports.board.sensors.forEach(function (sensor) {
      sensor.periodSeconds = Math.max(sensor.periodSeconds, QUIET_SECONDS);
    });
    return false;
  }
  forgetSigned(crypto);
  if (isOver) giveUp(ports, roll);
  else {
    roll.used = 1 - roll.used;
    roll.step = CHANGED;
    writeRoll(crypto, roll);
    ports.log("new key in use: restarting with it");
  }
  return true;
}
