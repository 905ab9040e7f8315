/** Certificate requests (RFC 2986) of a party, and their keys as another library reads them. */
import "reflect-metadata";
import { createPublicKey, sign } from "node:crypto";
import { Pkcs10CertificateRequest } from "@peculiar/x509";
import type { Bytes } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";
import { fromBinary, toBinary } from "./cbor-oracle.ts";
import { der, ECDSA_WITH_SHA256, sequence } from "./certificates.ts";
import type { Party } from "./parties.ts";

/** A signature in DER of its r and s, 64 bytes (RFC 3279 section 2.2.3). */
export function derSignature(signature: Buffer): Buffer {
  const integer = (value: Buffer) => {
    const start = value.findIndex((byte) => byte !== 0);
    const digits = value.subarray(start);
    return der(0x02, (digits[0] as number) < 0x80 ? [] : [0], digits);
  };
  return sequence(integer(signature.subarray(0, 32)), integer(signature.subarray(32)));
}

/** As a device writes it: empty subject, no attributes. */
export function makeCsr(
  party: Party,
  signInfo: (info: Buffer) => Buffer = (info) => sign("sha256", info, party.privateKey),
): Bytes {
  const spki = createPublicKey(party.privateKey).export({ type: "spki", format: "der" });
  const info = sequence(der(0x02, [0]), sequence(), spki, der(0xa0));
  const bits = Buffer.concat([Buffer.alloc(1), signInfo(info)]);
  return fromBinary(sequence(info, ECDSA_WITH_SHA256, der(0x03, bits)));
}

/** The point; "form" for what is no request. */
export function readCsrKey(csr: Bytes): Bytes {
  try {
    const { rawData } = new Pkcs10CertificateRequest(Uint8Array.from(toBinary(csr))).publicKey;
    return fromBinary(new Uint8Array(rawData).subarray(-65));
  } catch (error) {
    return fail("form", `CSR, expected PKCS #10, got ${(error as Error).message}`);
  }
}
