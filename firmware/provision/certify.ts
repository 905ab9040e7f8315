/** The registrar's word for the new key of a roll (roll.ts), made for the message and dropped after it. */
import type { Bytes } from "../../protocol/bytes.ts";
import { thumbprintOf } from "../../protocol/kid.ts";
import { readOwnCertificate, writeOwnCertificate } from "./own-certificate.ts";
import { ASKED, CERTIFIED, otherIdOf, readRoll, writeRoll } from "./roll-record.ts";
import { type EnrolledPorts, takeEnrolled } from "./take-enrolled.ts";

/** True when the message has certified the key that a roll asked for. Throws as takeEnrolled does. */
export function certifyKey(ports: EnrolledPorts, message: Bytes): boolean {
  const crypto = ports.crypto;
  const roll = readRoll(crypto, ports.log);
  if (!roll || roll.step !== ASKED) return false;
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
