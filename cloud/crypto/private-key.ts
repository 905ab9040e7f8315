import { createECDH, createPrivateKey, type KeyObject } from "node:crypto";
import { fail } from "../../protocol/errors.ts";
import type { PrivateKey } from "./key.ts";
import { P256 } from "./primitives.ts";

/** RFC 5915 after the SEQUENCE's tag and length: version 1, the private key as 32 bytes. */
const SEC1_START = Buffer.from("0201010420", "hex");
const SEC1_START_AT = 2;
const SCALAR_SIZE = 32;

/**
 * A P-256 private key from PEM (a string) or DER (PKCS #8 or SEC 1, which is left
 * as it is); "argument" for anything else, an encrypted or a foreign key included.
 */
export function importPrivateKey(encoded: string | Uint8Array): PrivateKey {
  const signer = parse(encoded);
  const { asymmetricKeyType, asymmetricKeyDetails } = signer;
  if (asymmetricKeyType !== "ec" || asymmetricKeyDetails?.namedCurve !== P256)
    fail("argument", `private key, expected P-256, got ${asymmetricKeyType}`);
  const agreement = createECDH(P256);
  const sec1 = signer.export({ type: "sec1", format: "der" });
  try {
    agreement.setPrivateKey(scalarOf(sec1));
  } catch {
    refuse();
  } finally {
    sec1.fill(0);
  }
  return { kind: "private", signer, agreement };
}

function parse(encoded: string | Uint8Array): KeyObject {
  if (typeof encoded === "string") return tryParse({ key: encoded, format: "pem" }) ?? refuse();
  const key = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  return (
    tryParse({ key, format: "der", type: "pkcs8" }) ??
    tryParse({ key, format: "der", type: "sec1" }) ??
    refuse()
  );
}

function tryParse(input: Parameters<typeof createPrivateKey>[0]): KeyObject | undefined {
  try {
    return createPrivateKey(input);
  } catch {
    return undefined;
  }
}

/** OpenSSL's own message could quote the input, so it is not passed on. */
function refuse(): never {
  fail("argument", "private key, expected PEM or DER of a P-256 key, got neither");
}

/** A view on the 32 bytes, not a copy: wiping the encoding wipes it. */
function scalarOf(sec1: Buffer): Buffer {
  const at = SEC1_START_AT + SEC1_START.length;
  if (!sec1.subarray(SEC1_START_AT, at).equals(SEC1_START)) refuse();
  return sec1.subarray(at, at + SCALAR_SIZE);
}
