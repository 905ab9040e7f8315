/** The audit log in the database: rows are put at its end, and never touched again. */
import type { Database } from "better-sqlite3";
import type { Bytes } from "../../protocol/bytes.ts";
import { fromBuffer, toBuffer } from "../crypto/convert.ts";
import {
  type AuditEntry,
  type AuditHead,
  type AuditKind,
  type AuditRow,
  firstPrevious,
  hashOfRow,
} from "./row.ts";

export interface AuditLog {
  /** Within the caller's transaction, so that it is there with what it records or not at all. */
  append(entry: AuditEntry): void;
  /** Sequence 0 when there is no row. */
  head(): AuditHead;
}

interface StoredRow {
  sequence: number;
  at: number;
  kind: AuditKind;
  class: string | null;
  reason: string | null;
  kid: Buffer | null;
  details: string;
  previous: Buffer;
  hash: Buffer;
}

function toRow(row: StoredRow): AuditRow {
  return {
    sequence: row.sequence,
    at: row.at,
    kind: row.kind,
    class: row.class ?? undefined,
    reason: row.reason ?? undefined,
    kid: row.kid === null ? undefined : fromBuffer(row.kid),
    details: row.details,
    previous: fromBuffer(row.previous),
    hash: fromBuffer(row.hash),
  };
}

/** The id that ties a database to its audit log and its journal, 16 bytes. */
export function databaseId(database: Database): Bytes {
  return fromBuffer(database.prepare<[], Buffer>("SELECT id FROM journal").pluck().get() as Buffer);
}

/** `now` in Unix milliseconds. */
export function createAuditLog(database: Database, now: () => number): AuditLog {
  const last = database.prepare<[], { sequence: number; hash: Buffer }>(
    "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1",
  );
  const insert = database.prepare(
    `INSERT INTO audit (sequence, at, kind, class, reason, kid, details, previous, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const first = firstPrevious(databaseId(database));

  function head(): AuditHead {
    const row = last.get();
    return row
      ? { sequence: row.sequence, hash: fromBuffer(row.hash) }
      : { sequence: 0, hash: first };
  }

  return {
    head,
    append(entry) {
      const { sequence, hash: previous } = head();
      const row = {
        sequence: sequence + 1,
        at: now(),
        kind: entry.kind,
        class: entry.class,
        reason: entry.reason,
        kid: entry.kid,
        details: JSON.stringify(entry.details ?? {}),
        previous,
      };
      insert.run(
        ...[row.sequence, row.at, row.kind, row.class ?? null, row.reason ?? null],
        row.kid === undefined ? null : toBuffer(row.kid, "key id"),
        ...[row.details, toBuffer(previous, "hash"), toBuffer(hashOfRow(row), "hash")],
      );
    },
  };
}

/** All rows in the order of their numbers, one at a time: the log may be longer than memory. */
export function* readAudit(database: Database): Generator<AuditRow> {
  const all = database.prepare<[], StoredRow>("SELECT * FROM audit ORDER BY sequence");
  for (const row of all.iterate()) yield toRow(row);
}

/** The last `count` rows, oldest first. */
export function tailAudit(database: Database, count: number): AuditRow[] {
  const tail = database.prepare<[number], StoredRow>(
    "SELECT * FROM audit ORDER BY sequence DESC LIMIT ?",
  );
  return tail.all(count).map(toRow).reverse();
}
