/** The profile's messages as cbor-x and node:crypto read them. */
import { createDecipheriv, createHash } from "node:crypto";
import type { Bytes } from "../../../protocol/bytes.ts";
import { decodeOracle, encodeOracle, fromBinary, Tag, toBinary } from "../cbor-oracle.ts";
import { aadOracle, hkdfOracle } from "../cose-builder.ts";
import type { StoredSession, Values } from "../history.ts";

const TAG_LENGTH = 16;
/** As much of a message's hash as a receipt lists. */
const LISTED_HASH = 16;

export interface WireReading {
  session: number;
  sequence: number;
  protectedHeader: Buffer;
  partialIv: Buffer;
  ciphertext: Buffer;
}

export interface WireSession {
  counter: number;
  /** SHA-256 of the Sig_structure. */
  hash: Buffer;
}

export interface OpenedReceipt {
  /** Names of messages, as `listedName` gives them. */
  messages: string[];
  ranges: { session: number; first: number; last: number }[];
}

function toNumber(bytes: Buffer): number {
  return bytes.readUIntBE(0, bytes.length);
}

function parts(message: Buffer, tag: number): unknown[] {
  const decoded = decodeOracle(fromBinary(message));
  if (!(decoded instanceof Tag) || decoded.tag !== tag)
    throw new Error(`COSE message, expected tag ${tag}, got another`);
  return decoded.value as unknown[];
}

const mapOf = (bytes: Buffer) => decodeOracle(fromBinary(bytes)) as Map<number, Buffer>;

export function decodeReading(message: Buffer): WireReading {
  const [protectedHeader, , ciphertext] = parts(message, 16) as [Buffer, unknown, Buffer];
  const header = mapOf(protectedHeader);
  const partialIv = header.get(6) as Buffer;
  return {
    session: toNumber(header.get(4) as Buffer),
    sequence: toNumber(partialIv),
    protectedHeader,
    partialIv,
    ciphertext,
  };
}

/** Throws unless it is an Encrypt in a Sign1; what it says is for the cloud alone. */
export function decodeEvent(message: Buffer): void {
  const [, , payload] = parts(message, 18) as [Buffer, unknown, Buffer];
  parts(payload, 96);
}

export function decodeSession(message: Buffer, thumbprint: Buffer): WireSession {
  const [protectedHeader, , payload] = parts(message, 18) as [Buffer, unknown, Buffer];
  const [encryptHeader] = parts(payload, 96) as [Buffer];
  const aad = toBinary(aadOracle("session", fromBinary(thumbprint)));
  const structure = encodeOracle(["Signature1", protectedHeader, aad, payload]);
  return {
    counter: toNumber(mapOf(encryptHeader).get(4) as Buffer),
    hash: createHash("sha256").update(toBinary(structure)).digest(),
  };
}

/** Undefined when the tag does not verify. */
function decrypt(key: Buffer, nonce: Buffer, aad: Bytes, ciphertext: Buffer): Buffer | undefined {
  try {
    const at = ciphertext.length - TAG_LENGTH;
    const decipher = createDecipheriv("aes-128-gcm", key, nonce);
    decipher.setAAD(toBinary(aad));
    decipher.setAuthTag(ciphertext.subarray(at));
    return Buffer.concat([decipher.update(ciphertext.subarray(0, at)), decipher.final()]);
  } catch {
    return undefined;
  }
}

function encrypt0Aad(messageClass: string, thumbprint: Buffer, protectedHeader: Buffer): Bytes {
  const aad = toBinary(aadOracle(messageClass, fromBinary(thumbprint)));
  return encodeOracle(["Encrypt0", protectedHeader, aad]);
}

/** What a SenML pack says, by name. */
function valuesOf(pack: Buffer): Values {
  const values: Values = {};
  for (const record of decodeOracle(fromBinary(pack)) as Map<number, unknown>[])
    values[record.get(0) as string] = (record.get(2) ?? record.get(4)) as number | boolean;
  return values;
}

/** What a reading says; undefined when it is not of this session. */
export function openWireReading(
  reading: WireReading,
  session: StoredSession,
  thumbprint: Buffer,
): Values | undefined {
  const nonce = Buffer.from(session.baseIv);
  const start = nonce.length - reading.partialIv.length;
  for (const [at, byte] of reading.partialIv.entries())
    nonce[start + at] = (nonce[start + at] as number) ^ byte;
  const aad = encrypt0Aad("reading", thumbprint, reading.protectedHeader);
  const pack = decrypt(session.key, nonce, aad, reading.ciphertext);
  return pack && valuesOf(pack);
}

/** What a receipt says; undefined when it is none, or none for this device. */
export function openWireReceipt(
  message: Buffer,
  sessions: Map<number, StoredSession>,
  thumbprint: Buffer,
): OpenedReceipt | undefined {
  try {
    const [protectedHeader, unprotected, ciphertext] = parts(message, 16) as [
      Buffer,
      Map<number, Buffer>,
      Buffer,
    ];
    const counter = toNumber(mapOf(protectedHeader).get(4) as Buffer);
    const session = sessions.get(counter);
    const iv = unprotected.get(5);
    if (!session || !iv) return undefined;
    const key = hkdfOracle(session.key, "coseflow/1 receipt" as Bytes);
    const aad = encrypt0Aad("receipt", thumbprint, protectedHeader);
    const payload = decrypt(key, iv, aad, ciphertext);
    return payload && readReceipt(payload);
  } catch {
    // Bytes that a fault has changed need not be CBOR.
    return undefined;
  }
}

function readReceipt(payload: Buffer): OpenedReceipt {
  const receipt = decodeOracle(fromBinary(payload)) as Map<number, unknown>;
  const ranges = receipt.get(3) as [Buffer, number, number][];
  return {
    messages: (receipt.get(2) as Buffer[]).map(listedName),
    ranges: ranges.map(([kid, first, last]) => ({ session: toNumber(kid), first, last })),
  };
}

/** What a receipt calls the message of this hash. */
export function listedName(hash: Buffer): string {
  return hash.toString("hex", 0, LISTED_HASH);
}
