/**
 * The messages of the profile made a second time, with cbor-x and node:crypto
 * alone, and open to change at every layer: a test says what shall be wrong and
 * everything around it is sealed and signed as if it were right.
 */
import {
  createCipheriv,
  createECDH,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import type { Bytes } from "../../protocol/bytes.ts";
import { encodeOracle, fromBinary, Tag, toBinary } from "./cbor-oracle.ts";
import type { Party } from "./parties.ts";

type Header = Map<number, unknown>;
export type Change<T> = (value: T) => unknown;

/** SHA-256 of the deterministic COSE_Key (RFC 9679), by cbor-x. */
export function thumbprintOracle(publicKey: Bytes): Buffer {
  const point = toBinary(publicKey);
  const key = new Map<number, unknown>([
    [1, 2],
    [-1, 1],
    [-2, point.subarray(1, 33)],
    [-3, point.subarray(33)],
  ]);
  return createHash("sha256")
    .update(toBinary(encodeOracle(key)))
    .digest();
}

export function aadOracle(messageClass: string, deviceThumbprint: Bytes): Bytes {
  return encodeOracle(["coseflow/1", messageClass, toBinary(deviceThumbprint)]);
}

/** COSE_KDF_Context (RFC 9053 section 5.2); null for an absent identity. */
export function kdfContextOracle(
  sender: Bytes | null,
  recipient: Bytes | null,
  other: string | undefined,
): Bytes {
  const party = (identity: Bytes | null) => [identity && toBinary(identity), null, null];
  const supplied: unknown[] = [128, Buffer.from("a101381c", "hex")];
  if (other !== undefined) supplied.push(Buffer.from(other));
  return encodeOracle([-3, party(sender), party(recipient), supplied]);
}

export function gcm(key: Buffer, iv: Buffer, aad: Bytes, plaintext: Bytes): Buffer {
  const cipher = createCipheriv("aes-128-gcm", key, iv);
  cipher.setAAD(toBinary(aad));
  return Buffer.concat([cipher.update(toBinary(plaintext)), cipher.final(), cipher.getAuthTag()]);
}

/** HKDF-SHA-256 of one block: no salt, 16 bytes. */
export function hkdfOracle(secret: Buffer, info: Bytes): Buffer {
  const extracted = createHmac("sha256", Buffer.alloc(32)).update(secret).digest();
  const expanded = createHmac("sha256", extracted).update(toBinary(info)).update("\x01").digest();
  return expanded.subarray(0, 16);
}

export function publicKeyObject(publicKey: Bytes): KeyObject {
  const point = toBinary(publicKey);
  const x = point.subarray(1, 33).toString("base64url");
  const y = point.subarray(33).toString("base64url");
  return createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
}

/** The key that wraps: ECDH of any two P-256 keys, then HKDF over the context. */
export function kekOracle(privateKey: KeyObject, publicKey: Bytes, context: Bytes): Buffer {
  const secret = diffieHellman({ privateKey, publicKey: publicKeyObject(publicKey) });
  return hkdfOracle(secret, context);
}

/** One COSE_recipient of a content key; its ephemeral y is whole, or the sign of it. */
export function recipientOracle(
  recipient: Party,
  context: Bytes,
  cek: Buffer,
  wholeY = false,
): unknown[] {
  const ephemeral = createECDH("prime256v1");
  const point = ephemeral.generateKeys();
  const kek = hkdfOracle(ephemeral.computeSecret(toBinary(recipient.publicKey)), context);
  const wrap = createCipheriv("id-aes128-wrap", kek, Buffer.alloc(8, 0xa6));
  const wrapped = Buffer.concat([wrap.update(cek), wrap.final()]);
  const epk: Header = new Map<number, unknown>([
    [1, 2],
    [-1, 1],
    [-2, point.subarray(1, 33)],
    [-3, wholeY ? point.subarray(33) : ((point[64] as number) & 1) === 1],
  ]);
  const header: Header = new Map<number, unknown>([
    [4, toBinary(recipient.kid)],
    [-1, epk],
  ]);
  return [Buffer.from("a101381c", "hex"), header, wrapped];
}

/** What may be other than the profile says. A change gets the right value and gives the wrong one. */
export interface SealedChanges {
  encryptHeader?: Change<Header>;
  encryptUnprotected?: Change<Header>;
  recipients?: Change<unknown[]>;
  /** The array of four, or whatever shall stand for it. */
  encrypt?: Change<unknown[]>;
  encryptTag?: number | undefined;
  encryptAad?: Bytes;
  kdfContext?: Bytes;
  signHeader?: Change<Header>;
  signUnprotected?: Change<Header>;
  /** The payload's bytes, as they are signed and sent. */
  payload?: (encrypt: Bytes) => Bytes;
  signAad?: Bytes;
  /** The array of four after it was signed. */
  sign1?: Change<unknown[]>;
  sign1Tag?: number | undefined;
}

export interface SessionChanges extends SealedChanges {
  sessionKid?: Buffer;
  /** A map, or the plaintext's bytes; undefined leaves COSE_Key out, which makes the `implied` form. */
  plaintext?: Change<Header>;
}

export interface EventChanges extends SealedChanges {
  /** An array, or the plaintext's bytes. */
  plaintext?: Change<unknown[]>;
}

export interface BuiltSealed {
  message: Bytes;
  cek: Buffer;
  iv: Buffer;
}

export interface BuiltSession extends BuiltSealed {
  sessionKey: Buffer;
  baseIv: Buffer;
}

/** The classes that are Sign1(Encrypt). */
export type SealedClass = "session" | "event" | "enrol" | "enrolled" | "command" | "reply";

export function changed<T>(value: T, change: Change<T> | undefined): unknown {
  return change === undefined ? value : change(value);
}

/** Protected headers and plaintexts: a map or array is encoded, bytes stay. */
export function asBytes(value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value;
  return value === undefined ? Buffer.alloc(0) : toBinary(encodeOracle(value));
}

function tagged(value: unknown, tag: number | undefined): Bytes {
  return encodeOracle(tag === undefined ? value : new Tag(value, tag));
}

export function signOracle(signer: Party, structure: Bytes): Buffer {
  const key = { key: signer.privateKey, dsaEncoding: "ieee-p1363" } as const;
  return sign("sha256", toBinary(structure), key);
}

/** Sign1 over any payload, by the signer and in the name of its kid. */
export function buildSign1(
  signer: Party,
  payload: Bytes,
  changes: SealedChanges = {},
  messageClass: SealedClass = "session",
  deviceThumbprint: Bytes = signer.thumbprint,
): Bytes {
  const header = new Map<number, unknown>([
    [1, -7],
    [4, toBinary(signer.kid)],
  ]);
  const protectedHeader = asBytes(changed(header, changes.signHeader));
  const aad = changes.signAad ?? aadOracle(messageClass, deviceThumbprint);
  const content = toBinary(payload);
  const structure = encodeOracle(["Signature1", protectedHeader, toBinary(aad), content]);
  const unprotected = changed<Header>(new Map(), changes.signUnprotected);
  const parts = [protectedHeader, unprotected, content, signOracle(signer, structure)];
  return tagged(changed(parts, changes.sign1), "sign1Tag" in changes ? changes.sign1Tag : 18);
}

/**
 * Sign1(Encrypt(plaintext)) of the signer for the recipients; all of it right but for the
 * changes. Upward the signer is the device; downward the one recipient is.
 */
export function buildSealed(
  messageClass: SealedClass,
  signer: Party,
  recipients: Party[],
  contentHeader: Header,
  plaintext: Bytes,
  changes: SealedChanges,
  device: { thumbprint: Bytes } = signer,
): BuiltSealed {
  const cek = randomBytes(16);
  const iv = randomBytes(12);
  const protectedHeader = asBytes(changed(contentHeader, changes.encryptHeader));
  const aad = changes.encryptAad ?? aadOracle(messageClass, device.thumbprint);
  const structure = encodeOracle(["Encrypt", protectedHeader, toBinary(aad)]);
  const other = `coseflow/1 ${messageClass}`;
  const wraps = recipients.map((recipient) => {
    const context = kdfContextOracle(signer.thumbprint, recipient.thumbprint, other);
    return recipientOracle(recipient, changes.kdfContext ?? context, cek, device !== signer);
  });
  const parts = [
    protectedHeader,
    changed<Header>(new Map([[5, iv]]), changes.encryptUnprotected),
    gcm(cek, iv, structure, plaintext),
    changed(wraps, changes.recipients),
  ];
  const encryptTag = "encryptTag" in changes ? changes.encryptTag : 96;
  const encrypt = tagged(changed(parts, changes.encrypt), encryptTag);
  const payload = changes.payload === undefined ? encrypt : changes.payload(encrypt);
  const message = buildSign1(signer, payload, changes, messageClass, device.thumbprint);
  return { message, cek, iv };
}

/** A session message. */
export function buildSession(
  device: Party,
  recipients: Party[],
  changes: SessionChanges = {},
): BuiltSession {
  const sessionKid = changes.sessionKid ?? Buffer.from([7]);
  const sessionKey = randomBytes(16);
  const baseIv = randomBytes(12);
  const coseKey = new Map<number, unknown>([
    [1, 4],
    [2, sessionKid],
    [3, 1],
    [5, baseIv],
    [-1, sessionKey],
  ]);
  const header = new Map<number, unknown>([
    [1, 1],
    [4, sessionKid],
  ]);
  const plaintext = fromBinary(asBytes(changed(coseKey, changes.plaintext)));
  const sealed = buildSealed("session", device, recipients, header, plaintext, changes);
  return { ...sealed, sessionKey, baseIv };
}

/** An event message of one record {0: "door", 4: true}. */
export function buildEvent(
  device: Party,
  recipients: Party[],
  counter: number,
  changes: EventChanges = {},
): BuiltSealed {
  const record = new Map<number, unknown>([
    [0, "door"],
    [4, true],
  ]);
  const content = fromBinary(asBytes(changed([counter, [record]], changes.plaintext)));
  return buildSealed("event", device, recipients, new Map([[1, 1]]), content, changes);
}

export interface Encrypt0Changes {
  header?: Change<Header>;
  unprotected?: Change<Header>;
  aad?: Bytes;
  /** The array of three after it was sealed. */
  parts?: Change<unknown[]>;
  tag?: number | undefined;
}

/** Encrypt0 of any header under any key and nonce. */
export function buildEncrypt0(
  key: Buffer,
  nonce: Buffer,
  aad: Bytes,
  header: Header,
  unprotected: Header,
  payload: Bytes,
  changes: Encrypt0Changes = {},
): Bytes {
  const protectedHeader = asBytes(changed(header, changes.header));
  const bound = toBinary(changes.aad ?? aad);
  const structure = encodeOracle(["Encrypt0", protectedHeader, bound]);
  const parts = [
    protectedHeader,
    changed(unprotected, changes.unprotected),
    gcm(key, nonce, structure, payload),
  ];
  return tagged(changed(parts, changes.parts), "tag" in changes ? changes.tag : 16);
}
