import { type Bytes, fromHex, toHex } from "../../protocol/bytes.ts";
import type { AuditHead } from "./row.ts";

/** An audit head as it is kept elsewhere: one line of JSON. */
export interface ExportedHead extends AuditHead {
  database: Bytes;
}

const HASH_DIGITS = 64;
const ID_DIGITS = 32;

export function encodeHead({ database, sequence, hash }: ExportedHead): string {
  return `${JSON.stringify({ database: toHex(database), sequence, hash: toHex(hash) })}\n`;
}

function bytesOf(value: unknown, digits: number): Bytes | undefined {
  return typeof value === "string" && value.length === digits ? fromHex(value) : undefined;
}

/** Throws when the text is not what `encodeHead` makes. */
export function parseHead(text: string): ExportedHead {
  let value: { database?: unknown; sequence?: unknown; hash?: unknown } | null = null;
  try {
    value = JSON.parse(text);
  } catch {
    // Told below, with everything else that is no head.
  }
  const database = bytesOf(value?.database, ID_DIGITS);
  const hash = bytesOf(value?.hash, HASH_DIGITS);
  const sequence = value?.sequence;
  if (database && hash && Number.isSafeInteger(sequence) && (sequence as number) >= 0)
    return { database, hash, sequence: sequence as number };
  throw new Error('audit head, expected what "coseflow audit export-head" prints, got other text');
}
