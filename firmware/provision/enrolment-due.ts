import type { Bytes } from "../../protocol/bytes.ts";
import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import type { Enrolment, Provisioning } from "../config.ts";
import type { Log } from "../ports.ts";
import { openTrust } from "../trust.ts";
import { readAsked } from "./asked-record.ts";
import { forgetEnrolment } from "./enrol.ts";
import { namesOf, readOwnCertificate } from "./own-certificate.ts";
import { ASKED, CERTIFIED, CHANGED, isExpired, otherIdOf, readRoll } from "./roll-record.ts";

export interface EnrolmentDue {
  /** What to enrol as; undefined where nothing is to be done. */
  asked: Enrolment | undefined;
  /** Who the device is by its certificate; undefined without one, also where it needs none. */
  ids: { deviceId: Bytes; userId: Bytes } | undefined;
  /** It has its certificate, be it of names that are to change, or needs none. */
  mayStream: boolean;
  /** What a key roll waits for, 0 without one: see device.ts. */
  rolling: number;
  /** The key that is to get its certificate by a roll. */
  newKid: Bytes | undefined;
}

/**
 * What is to be done: a `request` counts before what was flashed, and what was flashed where it
 * is not what the certificate was asked for under. What an ended enrolment left is erased. While
 * the key changes, a request waits for the new one.
 */
export function enrolmentDue(
  crypto: DeviceCrypto,
  provisioning: Provisioning,
  log: Log,
): EnrolmentDue {
  const flashed = provisioning.enrolment;
  const own = readOwnCertificate(crypto, log);
  const isFlashed = flashed === undefined || (own && own.flashed === namesOf(crypto, flashed));
  const roll = readRoll(crypto, log);
  const asked = roll ? undefined : readAsked(crypto, log) || (isFlashed ? undefined : flashed);
  if (!asked) forgetEnrolment(crypto, log);
  let rolling = roll ? roll.step : 0;
  let newKid: Bytes | undefined;
  // The command makes the key, perhaps only after this.
  if (roll && rolling !== CHANGED && crypto.hasKey(otherIdOf(roll))) {
    const publicKey = crypto.exportPublicKey(crypto.openKey(otherIdOf(roll)));
    newKid = kidOf(thumbprintOf(crypto, publicKey));
    if (rolling === ASKED && isExpired(roll, openTrust(crypto, provisioning, log).floor))
      rolling = CERTIFIED;
  }
  return {
    asked: asked,
    ids: own && { deviceId: own.deviceId, userId: own.userId },
    mayStream: own !== undefined || flashed === undefined,
    rolling: rolling,
    newKid: newKid,
  };
}
