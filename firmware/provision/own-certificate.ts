/**
 * The record "cert", which says that the device is enrolled, and under which names:
 *
 *   1, then CBOR: [certificate (DER), device id, user id, names it was flashed with (8)]
 */
import { type Bytes, chars } from "../../protocol/bytes.ts";
import { cborBytes } from "../../protocol/cbor.ts";
import { createReader } from "../../protocol/cbor-reader.ts";
import type { DeviceCrypto, DeviceRecords } from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import { DEVICE_OID } from "../../protocol/roles.ts";
import type { Enrolment } from "../config.ts";
import type { Log } from "../ports.ts";
import { readVersioned, writeVersioned } from "../versioned-record.ts";

const RECORD = "cert";
const VERSION = 1;

/** Tells one set of names from another. */
const NAMES_LENGTH = 8;

export interface OwnCertificate {
  certificate: Bytes;
  /** UTF-8; a command may have changed the user since. */
  deviceId: Bytes;
  userId: Bytes;
  /** namesOf what was flashed when it enrolled: flashed anew with others, it enrols anew. */
  flashed: Bytes;
}

/** A short hash of parts whose lengths count too. */
export function digestOf(crypto: Pick<DeviceCrypto, "hashCompute">, parts: Bytes[]): Bytes {
  const text = parts.map(cborBytes).join("") as Bytes;
  return crypto.hashCompute(text).substring(0, NAMES_LENGTH) as Bytes;
}

export function namesOf(crypto: Pick<DeviceCrypto, "hashCompute">, enrolment: Enrolment): Bytes {
  return digestOf(crypto, [enrolment.deviceId, enrolment.userId]);
}

/** undefined where there is none, or a damaged one: the device enrols again. */
export function readOwnCertificate(
  store: Pick<DeviceRecords, "readRecord">,
  log: Log,
): OwnCertificate | undefined {
  const content = readVersioned(store, RECORD, VERSION, log);
  if (content === undefined) return undefined;
  try {
    const reader = createReader(content);
    reader.exactly("\x84", "record " + RECORD);
    const certificate = reader.bytes();
    const deviceId = reader.bytes();
    const userId = reader.bytes();
    const flashed = reader.bytesOf(NAMES_LENGTH);
    reader.end();
    return { certificate: certificate, deviceId: deviceId, userId: userId, flashed: flashed };
  } catch (error) {
    log("record " + RECORD + " not used: " + (error as Error).message);
    return undefined;
  }
}

export function writeOwnCertificate(
  store: Pick<DeviceRecords, "writeRecord">,
  own: OwnCertificate,
): void {
  const content = [own.certificate, own.deviceId, own.userId, own.flashed].map(cborBytes).join("");
  writeVersioned(store, RECORD, VERSION, "\x84" + content);
}

/** id-ecPublicKey and prime256v1, then the bit string of a point (RFC 5480 section 2). */
const SPKI_START =
  "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
/** Extended key usage, critical. */
const EXTENDED_KEY_USAGE = "\x06\x03\x55\x1d\x25\x01\x01\xff";

/** Where the part begins, or -1. Espruino's indexOf also finds one that the text's end cuts short. */
function placeOf(part: string, text: Bytes): number {
  const at = text.indexOf(part);
  return at >= 0 && text.substr(at, part.length) === part ? at : -1;
}

/**
 * What a device can tell of its own certificate: it is one DER item, made out to its key
 * and with its role. Who issued it only the registrar's signature around it vouches for: the
 * device has no certificate of the issuing CA, and shows its own to nobody.
 */
export function checkOwnCertificate(certificate: Bytes, publicKey: Bytes): void {
  const header = certificate.charCodeAt(1) - 0x80;
  let length = 0;
  for (let i = 0; i < header; i++) length = length * 256 + certificate.charCodeAt(2 + i);
  const isItem =
    certificate.charCodeAt(0) === 0x30 &&
    (header === 1 || header === 2) &&
    certificate.length === 2 + header + length;
  const oid = chars(DEVICE_OID.length);
  const roleAt = placeOf(EXTENDED_KEY_USAGE, certificate);
  const usage = certificate.substr(roleAt + EXTENDED_KEY_USAGE.length, 6 + DEVICE_OID.length);
  const isDevice = roleAt > 0 && usage.substr(5) === oid + DEVICE_OID;
  if (!isItem || placeOf(SPKI_START + publicKey, certificate) < 0 || !isDevice)
    fail("certificate", "own certificate, expected one for this key with the role of a device");
}
