/** What the journal remembers beside the database, and how its lines look. */
import { createHash } from "node:crypto";
import { type Bytes, fromHex, toHex } from "../../protocol/bytes.ts";

/** States from which no device comes back to life. */
export type ClosedState = "rolled" | "deleting" | "deleted" | "revoked";

export type JournalEntry =
  /** The first of every journal: whose it is. */
  | { kind: "database"; id: Bytes }
  | { kind: "device"; publicKey: Bytes; thumbprint: Bytes; state: ClosedState; at: number }
  | { kind: "claim"; hash: Bytes; kid: Bytes; at: number }
  | { kind: "command"; kid: Bytes; counter: number }
  | { kind: "head"; sequence: number; hash: Bytes };

/** Fields that hold bytes, each with its length. */
const BYTE_FIELDS: Record<string, number> = {
  id: 16,
  publicKey: 65,
  thumbprint: 32,
  hash: 32,
  kid: 8,
};
const NUMBER_FIELDS = ["at", "counter", "sequence"];
const CLOSED: unknown[] = ["rolled", "deleting", "deleted", "revoked"] satisfies ClosedState[];

const FIELDS: { [kind in JournalEntry["kind"]]: string[] } = {
  database: ["id"],
  device: ["publicKey", "thumbprint", "state", "at"],
  claim: ["hash", "kid", "at"],
  command: ["kid", "counter"],
  head: ["sequence", "hash"],
};

/** Hexadecimal digits of a line's check. */
export const CHECK_LENGTH = 16;

/** Covers the line and the check before it: a line that is missing is found like a changed one. */
export function checkOf(previous: string, body: string): string {
  const digest = createHash("sha256").update(previous).update(body, "utf8").digest("hex");
  return digest.substring(0, CHECK_LENGTH);
}

/** One line's entries: those of one transaction, so that a torn write tears one line. */
export function encodeEntries(entries: JournalEntry[]): string {
  return JSON.stringify(entries, (name, value) =>
    Object.hasOwn(BYTE_FIELDS, name) ? toHex(value as Bytes) : value,
  );
}

function parseField(name: string, value: unknown): unknown {
  const length = BYTE_FIELDS[name];
  if (length !== undefined) {
    const bytes = typeof value === "string" ? fromHex(value) : undefined;
    return bytes?.length === length ? bytes : undefined;
  }
  if (NUMBER_FIELDS.includes(name)) return Number.isSafeInteger(value) ? value : undefined;
  return CLOSED.includes(value) ? value : undefined;
}

function parseEntry(value: Record<string, unknown> | null): JournalEntry | undefined {
  const kind = value?.kind;
  if (typeof kind !== "string" || !Object.hasOwn(FIELDS, kind)) return undefined;
  const entry: Record<string, unknown> = { kind };
  for (const name of FIELDS[kind as JournalEntry["kind"]]) {
    entry[name] = parseField(name, value?.[name]);
    if (entry[name] === undefined) return undefined;
  }
  return entry as unknown as JournalEntry;
}

/** Undefined for a line that no coseflow of this version writes. */
export function parseEntries(body: string): JournalEntry[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const entries = value.map(parseEntry);
  return entries.every((entry) => entry !== undefined) ? entries : undefined;
}
