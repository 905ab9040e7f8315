/**
 * A row of the audit log and its hash. Each hash covers the row and the hash before it,
 * so that no row can be changed, taken out or moved without changing all that follow.
 */
import { createHash } from "node:crypto";
import type { Bytes } from "../../protocol/bytes.ts";
import { ARRAY, cborBytes, cborHead, cborInt, cborText } from "../../protocol/cbor.ts";
import { fromBuffer } from "../crypto/convert.ts";

export type AuditKind =
  /** A message was taken. */
  | "accept"
  /** A message was refused; also a row that counts refusals without a row of their own. */
  | "refuse"
  /** An operator, or the cloud on its own behalf, did something. */
  | "act";

/**
 * Numbers and names of what happened: hashes, counters, ranges. Never a plaintext, a secret,
 * a device id or a user id.
 */
export type AuditDetails = Record<string, string | number | [number, number, number][]>;

/** What happened, before it has its place in the chain. */
export interface AuditEntry {
  kind: AuditKind;
  /** The message's class, or the act's name. */
  class?: string | undefined;
  reason?: string | undefined;
  kid?: Bytes | undefined;
  details?: AuditDetails | undefined;
}

export interface AuditRow {
  /** From 1, without a gap. */
  sequence: number;
  /** Unix milliseconds, by the cloud's clock: it may step back. */
  at: number;
  kind: AuditKind;
  class: string | undefined;
  reason: string | undefined;
  kid: Bytes | undefined;
  /** JSON of the details, as it was hashed. */
  details: string;
  previous: Bytes;
  hash: Bytes;
}

/** The last row's place and hash: whoever keeps it elsewhere finds a cut tail. */
export interface AuditHead {
  sequence: number;
  hash: Bytes;
}

/** Profile of the hashed bytes: another form of row gets another word. */
const PROFILE = "coseflow/1 audit";
const COLUMNS = 9;

function sha256(bytes: string): Bytes {
  return fromBuffer(createHash("sha256").update(bytes, "latin1").digest());
}

function utf8(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** What stands before the first row: it binds the chain to its database. */
export function firstPrevious(database: Bytes): Bytes {
  return sha256(cborHead(ARRAY, 2) + cborText(PROFILE) + cborBytes(database));
}

/** SHA-256 of the row in deterministic CBOR. What is absent is an empty string, which nothing else may be. */
export function hashOfRow(row: Omit<AuditRow, "hash">): Bytes {
  return sha256(
    cborHead(ARRAY, COLUMNS) +
      cborText(PROFILE) +
      cborInt(row.sequence) +
      cborInt(row.at) +
      cborText(row.kind) +
      cborText(utf8(row.class ?? "")) +
      cborText(utf8(row.reason ?? "")) +
      cborBytes(row.kid ?? ("" as Bytes)) +
      cborText(utf8(row.details)) +
      cborBytes(row.previous),
  );
}
