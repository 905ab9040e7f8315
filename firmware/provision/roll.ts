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
import { MESSAGE_HASH_LENGTH } from "../../protocol/cose/sign1.ts";
import { thumbprintOf } from "../../protocol/kid.ts";
import { STATUS_ROLLED } from "../../protocol/reply-message.ts";
import type { Board } from "../config.ts";
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
import { readOwnCertificate, writeOwnCertificate } from "./own-certificate.ts";
import {
  ASKED,
  CERTIFIED,
  CHANGED,
  endRoll,
  isExpired,
  keyIdOf,
  otherIdOf,
  type Roll,
  readRoll,
  writeRoll,
} from "./roll-record.ts";
import { type EnrolledPorts, takeEnrolled } from "./take-enrolled.ts";

/** While the new key waits for a quiet moment no sensor is read more often than this. */
const QUIET_SECONDS = 30;

/** The first step, within the command that asks for it. */
export function createRollStart(crypto: DeviceCrypto, log: Log, identity: Identity) {
  return {
    /** False while another roll is on its way, or an enrolment of the key in use. */
    isFree(command: Command): boolean {
      const roll = readRoll(crypto, log);
      if (roll) return roll.step === ASKED && roll.counter === command.counter;
      return crypto.readRecord(ENROL_RECORD + "0") === undefined;
    },

    /** Makes the new key, once; without it nothing is left of the roll. */
    begin(command: Command): Outcome {
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
    },
  };
}

/** What the answer to the new key will name. */
export function noteRequest(crypto: DeviceCrypto, log: Log, hash: Bytes): void {
  const roll = readRoll(crypto, log) as Roll;
  roll.request = hash.substring(0, MESSAGE_HASH_LENGTH) as Bytes;
  writeRoll(crypto, roll);
}

export type RollDelivery = Pick<Delivery, "newest" | "queued" | "sessions">;

export interface RollPorts extends EnrolledPorts {
  board: Board;
  /** The roll has come a step further. */
  enrol: () => void;
}

/**
 * Takes an `enrolled` for the new key, or goes on where something else was waited for. True when
 * the board has to restart at once.
 */
export function continueRoll(
  ports: RollPorts,
  delivery: RollDelivery,
  message: Bytes | undefined,
): boolean {
  const crypto = ports.crypto;
  const found = readRoll(crypto, ports.log);
  if (!found) return false;
  const roll = found;

  /** True when the message is the registrar's word for the new key. */
  function certify(message: Bytes): boolean {
    const key = crypto.openKey(otherIdOf(roll));
    const thumbprint = thumbprintOf(crypto, crypto.exportPublicKey(key));
    const identity = { key: key, thumbprint: thumbprint };
    const certificate = takeEnrolled(ports, identity, roll.request, message);
    if (certificate === undefined) return false;
    const own = readOwnCertificate(crypto, ports.log);
    // A device that was registered by hand has none to show.
    if (own) {
      own.certificate = certificate;
      writeOwnCertificate(crypto, own);
    }
    roll.step = CERTIFIED;
    writeRoll(crypto, roll);
    ports.log("new key certified: in use when nothing of the old one waits");
    return true;
  }

  /** Nothing is left that only the key in use can deliver, but for the reply that asked for another. */
  function isQuiet(): boolean {
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
  function forgetSigned(): void {
    function forget(prefix: string, count: number): void {
      for (let i = 0; i < count; i++) crypto.eraseRecord(prefix + i);
    }
    forget(SESSION_RECORD, MAX_SESSIONS);
    forget(EVENT_RECORD, MAX_EVENTS);
    forget(REPLY_RECORD, MAX_REPLIES);
  }

  /** Its command, should it come again, is stale then: the stored reply tells of a key that is gone. */
  function giveUp(): void {
    const command = readCommandRecord(crypto, ports.log);
    if (command && command.counter === roll.counter) {
      command.hash = "" as Bytes;
      writeCommandRecord(crypto, command);
    }
    endRoll(crypto, roll);
    ports.log("new key without a certificate for too long: erased");
  }

  if (roll.step === CHANGED) {
    if (!delivery.newest().receipted) return false;
    endRoll(crypto, roll);
    ports.log("new key known to the cloud: the old one is erased");
    ports.enrol();
    return false;
  }
  if (message !== undefined && roll.step === ASKED && certify(message)) ports.enrol();
  const isOver =
    roll.step === ASKED && isExpired(roll, openTrust(crypto, ports.provisioning, ports.log).floor);
  if (roll.step === ASKED && !isOver) return false;
  if (!isQuiet()) {
    ports.board.sensors.forEach(function (sensor) {
      sensor.periodSeconds = Math.max(sensor.periodSeconds, QUIET_SECONDS);
    });
    return false;
  }
  forgetSigned();
  if (isOver) giveUp();
  else {
    roll.used = 1 - roll.used;
    roll.step = CHANGED;
    writeRoll(crypto, roll);
    ports.log("new key in use: restarting with it");
  }
  return true;
}
