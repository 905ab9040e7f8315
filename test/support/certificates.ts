import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/*
 * Certificates byte by byte, each part of which a test may replace: a library would not
 * write most of what has to be refused.
 */

export function der(tag: number, ...contents: (Buffer | number[])[]): Buffer {
  const body = Buffer.concat(contents.map((part) => Buffer.from(part)));
  const { length } = body;
  const bytes =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...bytes]), body]);
}

export const sequence = (...contents: (Buffer | number[])[]): Buffer => der(0x30, ...contents);
const hex = (digits: string): Buffer => Buffer.from(digits, "hex");

/** The contents of an object identifier in dotted form (X.690 section 8.19). */
export function oidContents(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split(".").map(BigInt) as [bigint, bigint, ...bigint[]];
  return Buffer.concat([first * 40n + second, ...rest].map(base128));
}

function base128(value: bigint): Buffer {
  const bytes = [Number(value & 0x7fn)];
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) bytes.unshift(Number(rest & 0x7fn) | 0x80);
  return Buffer.from(bytes);
}

export const ROLE = oidContents("2.25.209484271763276853698770871316018577330");
export const OTHER_ROLE = oidContents("2.25.7");
export const ECDSA_WITH_SHA256 = hex("300a06082a8648ce3d040302");

export function name(text: string): Buffer {
  const attribute = sequence(hex("0603550403"), der(0x0c, Buffer.from(text)));
  return sequence(der(0x31, attribute));
}

/** UTCTime until 2049, GeneralizedTime from then on. */
export function time(iso: string): Buffer {
  const digits = iso.replace(/[-:T]/g, "");
  return digits < "2050" ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

export const seconds = (iso: string): number => Date.parse(iso) / 1000;

export function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  return sequence(der(0x06, hex(id)), isCritical ? hex("0101ff") : [], der(0x04, value));
}

export const basicConstraints = (...contents: Buffer[]): Buffer =>
  extension("551d13", true, sequence(...contents));
export const CA_TRUE = basicConstraints(hex("0101ff"));
export const keyUsage = (digits: string, isCritical = true): Buffer =>
  extension("551d0f", isCritical, der(0x03, hex(digits)));
export const roles = (...ids: Buffer[]): Buffer =>
  extension("551d25", true, sequence(...ids.map((id) => der(0x06, id))));

export interface Parts {
  version: Buffer;
  serial: Buffer;
  innerAlgorithm: Buffer;
  issuer: Buffer;
  validity: Buffer;
  subject: Buffer;
  publicKey: Buffer;
  extensions: Buffer[];
  /** After the subject's key, before the extensions. */
  uniqueIds: Buffer;
  outerAlgorithm: Buffer;
  signer: KeyObject;
  /** The bit string of a DER signature. */
  signatureBits: (signature: Buffer) => Buffer;
}

export function makeKeys(): { privateKey: KeyObject; publicKey: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey, publicKey: publicKey.export({ format: "der", type: "spki" }) };
}

export function makeCertificate(parts: Parts): Buffer {
  const { extensions } = parts;
  const tbs = sequence(
    parts.version,
    parts.serial,
    parts.innerAlgorithm,
    parts.issuer,
    parts.validity,
    parts.subject,
    parts.publicKey,
    parts.uniqueIds,
    extensions.length === 0 ? [] : der(0xa3, sequence(...extensions)),
  );
  const bits = parts.signatureBits(sign("sha256", tbs, parts.signer));
  return sequence(tbs, parts.outerAlgorithm, der(0x03, bits));
}

const anchorKeys = makeKeys();
const leafKeys = makeKeys();
/** The leaf's point, as a byte string. */
export const LEAF_POINT = leafKeys.publicKey.subarray(-65).toString("latin1");
export const ANCHOR_KEYS = anchorKeys;

const common = {
  version: hex("a003020102"),
  serial: der(0x02, createHash("sha256").update("serial").digest().subarray(0, 15), [1]),
  innerAlgorithm: ECDSA_WITH_SHA256,
  issuer: name("test root"),
  uniqueIds: Buffer.alloc(0),
  outerAlgorithm: ECDSA_WITH_SHA256,
  signer: anchorKeys.privateKey,
  signatureBits: (signature: Buffer) => Buffer.concat([Buffer.alloc(1), signature]),
};
common.serial[2] = 0x31; // positive

export const NOT_BEFORE = "2026-01-01T00:00:00Z";
export const NOT_AFTER = "2028-12-31T23:59:59Z";

export const goodAnchor: Parts = {
  ...common,
  validity: sequence(time("2020-01-01T00:00:00Z"), time("2050-06-01T00:00:00Z")),
  subject: name("test root"),
  publicKey: anchorKeys.publicKey,
  extensions: [CA_TRUE, keyUsage("0106")],
};

export const goodLeaf: Parts = {
  ...common,
  validity: sequence(time(NOT_BEFORE), time(NOT_AFTER)),
  subject: name("test cloud"),
  publicKey: leafKeys.publicKey,
  extensions: [basicConstraints(), keyUsage("0308"), roles(ROLE)],
};

export const ANCHOR = makeCertificate(goodAnchor);
export const leafWith = (parts: Partial<Parts>): Buffer =>
  makeCertificate({ ...goodLeaf, ...parts });
export const anchorWith = (parts: Partial<Parts>): Buffer =>
  makeCertificate({ ...goodAnchor, ...parts });
