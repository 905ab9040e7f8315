import type { Bytes } from "../../protocol/bytes.ts";
import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import type { Enrolment, Provisioning } from "../config.ts";
import type { Log } from "../ports.ts";
import { readAsked } from "./asked-record.ts";
import { forgetEnrolment } from "./enrol.ts";
import { namesOf, readOwnCertificate } from "./own-certificate.ts";

export interface EnrolmentDue {
  /** What to enrol as; undefined where nothing is to be done. */
  asked: Enrolment | undefined;
  /** Who the device is by its certificate; undefined without one, also where it needs none. */
  ids: { deviceId: Bytes; userId: Bytes } | undefined;
  /** It has its certificate, be it of names that are to change, or needs none. */
  mayStream: boolean;
}

/**
 * What is to be done: a `request` counts before what was flashed, and what was flashed where it
 * is not what the certificate was asked for under. What an ended enrolment left is erased.
 */
export function enrolmentDue(
  crypto: DeviceCrypto,
  provisioning: Provisioning,
  log: Log,
): EnrolmentDue {
  const flashed = provisioning.enrolment;
  const own = readOwnCertificate(crypto, log);
  const isFlashed = flashed === undefined || (own && own.flashed === namesOf(crypto, flashed));
  const asked = readAsked(crypto, log) || (isFlashed ? undefined : flashed);
  if (!asked) forgetEnrolment(crypto, log);
  return {
    asked: asked,
    ids: own && { deviceId: own.deviceId, userId: own.userId },
    mayStream: own !== undefined || flashed === undefined,
  };
}
