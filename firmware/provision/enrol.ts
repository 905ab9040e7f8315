/**
 * Enrolment: the device asks for its certificate under the names it was flashed with, or that a
 * `request` has told it, and
 * sends the same bytes until the registrar's answer to them has come. Made when it is
 * needed, and dropped afterwards.
 *
 * The message in flight is the record "n0", laid out as every signed message's. It is made
 * anew, with a counter of its own, only for other names, another claim or another cloud.
 *
 * Over a power cut: the answer's parts are stored one after the other and the certificate
 * last, so that without it the same answer comes again and is stored again; "n0" goes after it.
 */
import type { Bytes } from "../../protocol/bytes.ts";
import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import type { Recipient } from "../../protocol/cose/encrypt.ts";
import { createEnrolMaker } from "../../protocol/enrol-message.ts";
import type { Enrolment, Settings } from "../config.ts";
import type { Publish } from "../outgoing.ts";
import { ACKNOWLEDGED, earliestTaken, IN_FLIGHT, rewind, WAITING } from "../outgoing.ts";
import type { Clock, Log } from "../ports.ts";
import { createRepeat, RECEIPT_SECONDS } from "../repeat.ts";
import type { Identity } from "../session.ts";
import {
  eraseSigned,
  keptPacketId,
  makeSigned,
  readSigned,
  type Signed,
  writeSigned,
} from "../signed-records.ts";
import { eraseAsked } from "./asked-record.ts";
import { digestOf, namesOf, writeOwnCertificate } from "./own-certificate.ts";
import { type EnrolledPorts, takeEnrolled } from "./take-enrolled.ts";

/** The one record of this prefix: "n0". */
export const ENROL_RECORD = "n";

export interface EnrolPorts extends EnrolledPorts {
  identity: Identity;
  /** The cloud, alone in the list. */
  recipients: Recipient[];
  clock: Clock;
  publish: Publish;
  /** Its receiptSeconds come before the first repeat. */
  settings: Settings;
  /** No answer has come for long: the message goes out again right after this. */
  onUnheard: () => void;
}

/** What a message was made from; of the same, the same message is sent. */
function sourceOf(crypto: DeviceCrypto, cloud: Recipient, asked: Enrolment): Bytes {
  const claim = asked.claim === undefined ? ("" as Bytes) : asked.claim;
  return digestOf(crypto, [cloud.thumbprint, asked.deviceId, asked.userId, claim]);
}

/** The message that is kept, where it was made from the same; or else one made and stored now. */
function openItem(ports: EnrolPorts, asked: Enrolment): Signed {
  const crypto = ports.crypto;
  const source = sourceOf(crypto, ports.recipients[0] as Recipient, asked);
  const kept = readSigned(crypto, ENROL_RECORD, "enrol", 1)[0];
  if (kept && kept.kid === source) return kept;
  const csr = crypto.writeCsr(ports.identity.key);
  const makeEnrol = createEnrolMaker(crypto);
  const counter = crypto.nextCounter(ports.identity.id);
  const made = makeEnrol(ports.identity, ports.recipients, counter, {
    csr: csr,
    deviceId: asked.deviceId,
    userId: asked.userId,
    claim: asked.claim,
  });
  const item = makeSigned("enrol", ENROL_RECORD + "0", source, made.hash, made.message);
  item.packetId = keptPacketId(counter);
  writeSigned(crypto, item);
  return item;
}

/** Erases what a power cut has left of an enrolment that came to its end. */
export function forgetEnrolment(crypto: DeviceCrypto, log: Log): void {
  readSigned(crypto, ENROL_RECORD, "enrol", 1).forEach(function (item) {
    eraseSigned(crypto, item, log);
  });
}

/** Throws when it cannot make or store the message. */
export function createEnrolment(ports: EnrolPorts, asked: Enrolment) {
  const crypto = ports.crypto;
  const clock = ports.clock;
  const log = ports.log;
  const item = openItem(ports, asked);
  const firstWait = ports.settings.receiptSeconds || RECEIPT_SECONDS;
  /** MQTT may still have the message then, but its record is no longer this one's. */
  let isOver = false;

  const repeat = createRepeat({
    clock: clock,
    random: crypto.generateRandom,
    firstWait: firstWait,
    waitingSince: () => (isOver ? Infinity : earliestTaken([item])),
    onRepeat(repeats) {
      log("no answer, asking again (" + repeats + ")");
      ports.onUnheard();
      rewind(item, clock.uptime());
      send();
    },
  });

  function publish(): void {
    item.state = IN_FLIGHT;
    const taken = ports.publish(
      "enrol",
      item.message,
      2,
      function () {
        item.state = ACKNOWLEDGED;
        item.takenAt = clock.uptime();
        repeat.arm();
      },
      {
        packetId: item.packetId,
        phase: item.phase,
        keep(phase) {
          item.phase = phase;
          if (!isOver) writeSigned(crypto, item);
        },
      },
    );
    if (!taken) item.state = WAITING;
  }

  function send(): void {
    if (item.state !== WAITING) return;
    item.phase = 0;
    publish();
  }

  /** No timer runs any more, and nothing is written. */
  function end(): void {
    isOver = true;
    repeat.settled();
  }

  log("enrolling as " + asked.deviceId + " of " + asked.userId);

  return {
    /** For deep sleep. */
    item: item,

    /** Goes on with what MQTT had when the power went; the first call. */
    start(): void {
      if (item.state === IN_FLIGHT) publish();
    },

    /** MQTT is ready for more. */
    pump: send,
    end: end,

    /**
     * Takes an `enrolled` message: true when it has made the device an enrolled one. Throws
     * as takeEnrolled does.
     */
    receive(message: Bytes): boolean {
      const certificate = takeEnrolled(ports, ports.identity, item.hash, message);
      if (certificate === undefined) return false;
      const flashed = ports.provisioning.enrolment;
      writeOwnCertificate(crypto, {
        certificate: certificate,
        deviceId: asked.deviceId,
        userId: asked.userId,
        flashed: namesOf(crypto, flashed || asked),
      });
      eraseAsked(crypto);
      end();
      eraseSigned(crypto, item, log);
      log("enrolled as " + asked.deviceId + " of " + asked.userId);
      return true;
    },
  };
}
export type DeviceEnrolment = ReturnType<typeof createEnrolment>;
