import type { Bytes } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";
import { fromBuffer, toSizedBuffer } from "../crypto/convert.ts";
import { importPublicPoint, POINT_SIZE } from "../crypto/primitives.ts";

/** SubjectPublicKeyInfo of P-256 up to the uncompressed point (RFC 5480 section 2). */
const HEAD = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");
const UNCOMPRESSED = 4;

/** The point of a SubjectPublicKeyInfo; "profile" for any key but one on P-256, in full. */
export function pointOfSpki(spki: Buffer): Bytes {
  const point = spki.subarray(HEAD.length);
  const isP256 = spki.subarray(0, HEAD.length).equals(HEAD) && point.length === POINT_SIZE;
  if (!isP256 || point[0] !== UNCOMPRESSED)
    fail("profile", "public key, expected an uncompressed one on P-256, got another");
  try {
    importPublicPoint(point);
  } catch {
    fail("profile", "public key, expected a point on P-256, got none");
  }
  return fromBuffer(point);
}

export function spkiOfPoint(publicKey: Bytes): Buffer {
  const point = toSizedBuffer(publicKey, POINT_SIZE, "public key");
  importPublicPoint(point);
  return Buffer.concat([HEAD, point]);
}
