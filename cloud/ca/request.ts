import "reflect-metadata";
import { createPublicKey, verify } from "node:crypto";
import { Pkcs10CertificateRequest } from "@peculiar/x509";
import type { Bytes } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";
import { toBuffer } from "../crypto/convert.ts";
import { pointOfSpki } from "./spki.ts";

/** Bytes of a request: the C module writes at most 190; other tools add a subject and attributes. */
const REQUEST_LIMIT = 1024;
const SEQUENCE = 0x30;
const BIT_STRING = 0x03;
const ECDSA_WITH_SHA256 = Buffer.from("300a06082a8648ce3d040302", "hex");

function refuseForm(): never {
  fail("form", "certificate request, expected PKCS #10 in DER, got something else");
}

/** Bytes of the element at the front, with tag and length; lengths in DER, up to two bytes. */
function sizeOf(input: Buffer, tag: number): { header: number; size: number } {
  const [first, length = 0x80] = input;
  if (first !== tag) refuseForm();
  if (length < 0x80) return { header: 2, size: 2 + length };
  const more = length & 0x7f;
  if (more < 1 || more > 2 || input.length < 2 + more) refuseForm();
  const long = input.readUIntBE(2, more);
  if (long < (more === 1 ? 0x80 : 0x100)) refuseForm();
  return { header: 2 + more, size: 2 + more + long };
}

/** The parts of a request: what is signed, and the algorithm with the signature after it. */
function split(raw: Buffer): { info: Buffer; rest: Buffer } {
  const outer = sizeOf(raw, SEQUENCE);
  if (outer.size !== raw.length) refuseForm();
  const content = raw.subarray(outer.header);
  const { size } = sizeOf(content, SEQUENCE);
  return { info: content.subarray(0, size), rest: content.subarray(size) };
}

/** The library takes PEM and base64 too, so this comes after split. It reads fields when asked. */
function keyOf(raw: Buffer): Buffer {
  try {
    return Buffer.from(new Pkcs10CertificateRequest(raw).publicKey.rawData);
  } catch {
    return refuseForm();
  }
}

/** The DER signature, in a bit string without unused bits that ends the request. */
function signatureOf(bits: Buffer): Buffer {
  const { header, size } = sizeOf(bits, BIT_STRING);
  if (size !== bits.length || bits[header] !== 0) refuseForm();
  return bits.subarray(header + 1);
}

interface Request {
  info: Buffer;
  /** The algorithm and the signature after it. */
  rest: Buffer;
  spki: Buffer;
  publicKey: Bytes;
}

function parseRequest(der: Bytes): Request {
  const raw = toBuffer(der, "certificate request");
  if (raw.length > REQUEST_LIMIT)
    fail("size", `certificate request, expected ${REQUEST_LIMIT} bytes at most, got ${raw.length}`);
  const { info, rest } = split(raw);
  const spki = keyOf(raw);
  return { info, rest, spki, publicKey: pointOfSpki(spki) };
}

/**
 * The public key (65 bytes) that a request asks for; whether it has signed is not looked at.
 * Fails as readRequest does, but for "signature".
 */
export function readRequestKey(der: Bytes): Bytes {
  return parseRequest(der).publicKey;
}

/**
 * The public key (65 bytes) of a PKCS #10 request (RFC 2986, DER) that its own key has
 * signed. Subject and attributes are the requester's words and are not looked at. Fails
 * with "size", "form", "profile" (not P-256 with SHA-256) or "signature".
 */
export function readRequest(der: Bytes): Bytes {
  const { info, rest, spki, publicKey } = parseRequest(der);
  if (!rest.subarray(0, ECDSA_WITH_SHA256.length).equals(ECDSA_WITH_SHA256))
    fail("profile", "certificate request, expected ecdsa-with-SHA256, got another algorithm");
  const signature = signatureOf(rest.subarray(ECDSA_WITH_SHA256.length));
  const key = createPublicKey({ key: spki, format: "der", type: "spki" });
  if (!verify("sha256", info, key, signature))
    fail("signature", "certificate request, expected a signature of its own key, got another");
  return publicKey;
}
