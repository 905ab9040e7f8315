import { createPublicKey } from "node:crypto";
import { fromBuffer } from "../../cloud/crypto/convert.ts";
import type { CertificateCause, VerifiedCertificate } from "../../protocol/cose/crypto.ts";
import type { CoseflowError } from "../../protocol/errors.ts";
import {
  BIT_STRING,
  BOOLEAN,
  CONTEXT_0,
  CONTEXT_3,
  type DerReader,
  OCTET_STRING,
  OID,
  readDer,
  readTime,
  readUnsigned,
  SEQUENCE,
} from "./der.ts";

/*
 * The rules of the C module (native/core/certificate.c), in the same order: a leaf right
 * below the anchor, one cause for each rule. Written again rather than left to a library,
 * so that both refuse the same certificates for the same reasons.
 */

const EXTENSIONS_LIMIT = 16;
const SERIAL_SIZE = 20;
const SCALAR_SIZE = 32;
const POINT_SIZE = 65;
const KEY_CERT_SIGN = 0x04;
const VERSION_3 = Buffer.from("020102", "hex");
const ECDSA_WITH_SHA256 = Buffer.from("300a06082a8648ce3d040302", "hex");
const P256_HEAD = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");
const KEY_USAGE = "551d0f";
const BASIC_CONSTRAINTS = "551d13";
const EXTENDED_KEY_USAGE = "551d25";
const KNOWN = [KEY_USAGE, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE];

export interface Rules {
  /** The contents of the object identifier. */
  readonly role: Buffer;
  readonly keyUsage: number;
  readonly issuedNotBefore: number;
  readonly timeFloor: number;
}

type Verify = (publicKey: Buffer, message: Buffer, signature: Buffer) => boolean;

interface Fields {
  readonly tbs: Buffer;
  readonly version: Buffer | undefined;
  readonly innerAlgorithm: Buffer;
  readonly issuer: Buffer;
  readonly validity: Buffer;
  readonly subject: Buffer;
  readonly publicKey: Buffer;
  readonly extensions: Buffer;
  readonly outerAlgorithm: Buffer;
  readonly signature: Buffer;
}

interface Extension {
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: Buffer;
}

/** What the leaf says if it keeps every rule; CertificateError otherwise. */
export function verifyLeaf(
  leaf: Buffer,
  anchor: Buffer,
  rules: Rules,
  verify: Verify,
): VerifiedCertificate {
  const issuer = orRefuse("anchor", () => readAnchor(anchor));
  const fields = orRefuse("encoding", () => readFields(leaf));
  check(fields.version?.equals(VERSION_3) === true, "version");
  check(fields.innerAlgorithm.equals(ECDSA_WITH_SHA256), "algorithm");
  check(fields.outerAlgorithm.equals(ECDSA_WITH_SHA256), "algorithm");
  check(fields.issuer.equals(issuer.subject), "issuer");
  const { notBefore, notAfter } = checkValidity(fields.validity, rules);
  const point = orRefuse("public-key", () => pointOf(fields.publicKey));
  const isOwn = fields.subject.equals(fields.issuer) || point.equals(issuer.point);
  check(!isOwn, "self-issued");
  checkExtensions(fields.extensions, rules);
  const signature = orRefuse("signature", () => readSignature(fields.signature));
  check(verify(issuer.point, fields.tbs, signature), "signature");
  return { publicKey: fromBuffer(point), notBefore, notAfter };
}

function refuse(cause: CertificateCause): never {
  const error = new Error(`certificate, expected one that keeps every rule, got ${cause}`);
  throw Object.assign(error, { code: "certificate", cause } satisfies Partial<CoseflowError>);
}

function check(isKept: boolean, cause: CertificateCause): void {
  if (!isKept) refuse(cause);
}

/** Turns what does not read into the cause. */
function orRefuse<T>(cause: CertificateCause, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if ((error as CoseflowError).code === "form") return refuse(cause);
    throw error;
  }
}

function readFields(input: Buffer): Fields {
  const outer = readDer(input);
  const certificate = readDer(outer.read(SEQUENCE));
  outer.end();
  const tbs = certificate.readWhole(SEQUENCE);
  const outerAlgorithm = certificate.readWhole(SEQUENCE);
  const signature = certificate.read(BIT_STRING);
  certificate.end();
  return { tbs, outerAlgorithm, signature, ...readTbs(readDer(readDer(tbs).read(SEQUENCE))) };
}

function readTbs(tbs: DerReader): Omit<Fields, "tbs" | "outerAlgorithm" | "signature"> {
  const version = tbs.is(CONTEXT_0) ? tbs.read(CONTEXT_0) : undefined;
  readUnsigned(tbs, SERIAL_SIZE);
  const innerAlgorithm = tbs.readWhole(SEQUENCE);
  const issuer = tbs.readWhole(SEQUENCE);
  const validity = tbs.read(SEQUENCE);
  const subject = tbs.readWhole(SEQUENCE);
  const publicKey = tbs.readWhole(SEQUENCE);
  let extensions: Buffer = Buffer.alloc(0);
  if (!tbs.isAtEnd()) {
    const wrapper = readDer(tbs.read(CONTEXT_3));
    tbs.end();
    extensions = wrapper.read(SEQUENCE);
    wrapper.end();
  }
  return { version, innerAlgorithm, issuer, validity, subject, publicKey, extensions };
}

function readExtensions(contents: Buffer): Extension[] {
  const list = readDer(contents);
  const extensions: Extension[] = [];
  while (!list.isAtEnd()) {
    const extension = readDer(list.read(SEQUENCE));
    const id = extension.read(OID).toString("hex");
    const isCritical = extension.is(BOOLEAN) && readTrue(extension);
    const value = extension.read(OCTET_STRING);
    extension.end();
    if (extensions.length === EXTENSIONS_LIMIT) refuse("encoding");
    extensions.push({ id, isCritical, value });
  }
  return extensions;
}

/** A false is left out in DER, as it is the default. */
function readTrue(reader: DerReader): true {
  if (!reader.read(BOOLEAN).equals(Buffer.from([0xff]))) refuse("encoding");
  return true;
}

function checkValidity(contents: Buffer, rules: Rules): { notBefore: number; notAfter: number } {
  const [notBefore, notAfter] = orRefuse("validity", () => {
    const validity = readDer(contents);
    const times = [readTime(validity), readTime(validity)] as const;
    validity.end();
    return times;
  });
  check(notAfter >= notBefore, "validity");
  check(notAfter >= rules.timeFloor, "expired");
  check(notBefore >= rules.issuedNotBefore, "too-old");
  return { notBefore, notAfter };
}

function checkExtensions(contents: Buffer, rules: Rules): void {
  const extensions = orRefuse("encoding", () => readExtensions(contents));
  checkSet(extensions);
  const isCa = orRefuse("encoding", () => readIsCa(find(extensions, BASIC_CONSTRAINTS)));
  check(!isCa, "ca");
  const usage = find(extensions, KEY_USAGE) ?? refuse("key-usage-absent");
  const bits = orRefuse("encoding", () => readKeyUsage(usage));
  const exact = Buffer.from([Math.log2(rules.keyUsage & -rules.keyUsage), rules.keyUsage]);
  check(bits.equals(exact), "key-usage");
  const role = find(extensions, EXTENDED_KEY_USAGE) ?? refuse("role-absent");
  check(role.isCritical, "role-not-critical");
  const ids = orRefuse("encoding", () => readIds(role));
  check(ids.length === 1 && ids[0] === rules.role.toString("hex"), "role");
}

function checkSet(extensions: Extension[]): void {
  check(new Set(extensions.map(({ id }) => id)).size === extensions.length, "duplicate-extension");
  const isJudged = ({ id, isCritical }: Extension) => !isCritical || KNOWN.includes(id);
  check(extensions.every(isJudged), "critical-extension");
}

function find(extensions: Extension[], id: string): Extension | undefined {
  return extensions.find((extension) => extension.id === id);
}

/** BasicConstraints: an absent one, or an absent cA, is false. */
function readIsCa(extension: Extension | undefined): boolean {
  if (extension === undefined) return false;
  const outer = readDer(extension.value);
  const constraints = readDer(outer.read(SEQUENCE));
  outer.end();
  if (constraints.isAtEnd()) return false;
  readTrue(constraints);
  if (!constraints.isAtEnd()) readUnsigned(constraints, 4);
  constraints.end();
  return true;
}

/** The count of unused bits, then bytes. */
function readKeyUsage({ value }: Extension): Buffer {
  const outer = readDer(value);
  const bits = outer.read(BIT_STRING);
  outer.end();
  if (bits.length < 2 || (bits[0] as number) > 7) refuse("encoding");
  return bits;
}

function readIds({ value }: Extension): string[] {
  const outer = readDer(value);
  const list = readDer(outer.read(SEQUENCE));
  outer.end();
  const ids: string[] = [];
  while (!list.isAtEnd()) ids.push(list.read(OID).toString("hex"));
  return ids;
}

function readAnchor(input: Buffer): { subject: Buffer; point: Buffer } {
  try {
    const fields = readFields(input);
    check(fields.version?.equals(VERSION_3) === true, "anchor");
    const extensions = readExtensions(fields.extensions);
    checkSet(extensions);
    check(readIsCa(find(extensions, BASIC_CONSTRAINTS)), "anchor");
    const bits = readKeyUsage(find(extensions, KEY_USAGE) ?? refuse("anchor"));
    check(((bits[1] as number) & KEY_CERT_SIGN) !== 0, "anchor");
    return { subject: fields.subject, point: pointOf(fields.publicKey) };
  } catch (error) {
    const { code } = error as CoseflowError;
    if (code === "form" || code === "certificate") return refuse("anchor");
    throw error;
  }
}

/** The point of a SubjectPublicKeyInfo of P-256; "public-key" for any other. */
function pointOf(spki: Buffer): Buffer {
  const point = spki.subarray(P256_HEAD.length);
  check(spki.subarray(0, P256_HEAD.length).equals(P256_HEAD), "public-key");
  check(point.length === POINT_SIZE && point[0] === 0x04 && isOnCurve(spki), "public-key");
  return point;
}

function isOnCurve(spki: Buffer): boolean {
  try {
    createPublicKey({ key: spki, format: "der", type: "spki" });
    return true;
  } catch {
    return false;
  }
}

/** r and s of 32 bytes each, from a bit string without unused bits. */
function readSignature(bits: Buffer): Buffer {
  if (bits[0] !== 0) refuse("signature");
  const outer = readDer(bits.subarray(1));
  const pair = readDer(outer.read(SEQUENCE));
  outer.end();
  const signature = [readUnsigned(pair, SCALAR_SIZE), readUnsigned(pair, SCALAR_SIZE)];
  pair.end();
  return Buffer.concat(signature);
}
