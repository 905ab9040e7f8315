import type { Bytes } from "../../../protocol/bytes.ts";
import {
  type CertificateError,
  type DeviceCrypto,
  KEY_USAGE_KEY_AGREEMENT,
} from "../../../protocol/cose/crypto.ts";
import { ANCHOR, leafWith, ROLE, seconds } from "../../support/certificates.ts";

export const binary = (buffer: Buffer) => buffer.toString("latin1") as Bytes;
export const LEAF = leafWith({});

/** What differs from the good leaf under the good anchor. */
export interface Check {
  leaf?: Buffer;
  anchor?: Buffer;
  role?: Buffer;
  usage?: number;
  issuedNotBefore?: number;
  timeFloor?: number;
}

export function verify(crypto: DeviceCrypto, check: Check) {
  return crypto.verifyCertificate(
    binary(check.leaf ?? LEAF),
    binary(check.anchor ?? ANCHOR),
    binary(check.role ?? ROLE),
    check.usage ?? KEY_USAGE_KEY_AGREEMENT,
    check.issuedNotBefore ?? 0,
    check.timeFloor ?? seconds("2027-01-01T00:00:00Z"),
  );
}

/** "accepted", the cause, or the code of another error. */
export function outcome(crypto: DeviceCrypto, check: Check): string {
  try {
    verify(crypto, check);
    return "accepted";
  } catch (error) {
    const { code, cause } = error as CertificateError;
    return code === "certificate" ? cause : `not a certificate error: ${code}`;
  }
}
