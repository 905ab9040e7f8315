/**
 * The journal and the database as one. A transaction that must outlive a restored backup
 * hands its entries to the journal, which is on the disk before the database commits.
 *
 * The database holds the place in the journal up to which it knows everything. What stands
 * behind it is from a transaction that a crash ended, or from after the backup that this
 * database is: either way it is brought in before anything else is done.
 */
import type { Database } from "better-sqlite3";
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import { type AuditLog, databaseId } from "../audit/log.ts";
import type { AuditHead } from "../audit/row.ts";
import { AUDIT_GAP } from "../audit/verify.ts";
import type { JournalEntry } from "./entry.ts";
import { type Line, openJournalFile, type Position, START } from "./file.ts";
import { createReplay } from "./replay.ts";
import { journalState } from "./state.ts";

/** Hands one entry over, within the transaction. */
export type Keep = (entry: JournalEntry) => void;

export interface Journal {
  /** A transaction under the write lock whose entries are synced before it commits. */
  protect<Args extends unknown[], Result>(
    work: (keep: Keep, ...args: Args) => Result,
  ): (...args: Args) => Result;
  /** Writes the audit log's head, if it has grown since the journal was last written. */
  keepHead(): void;
  close(): void;
}

/** Beside its database, never in a backup of it. */
export function journalPath(databasePath: string): string {
  return `${databasePath}.journal`;
}

/** For a database in memory, which ends with its process. */
export function withoutJournal(database: Database): Journal {
  return {
    protect(work) {
      const run = database.transaction(work);
      return (...args) => run.immediate(() => {}, ...args);
    },
    keepHead() {},
    close() {},
  };
}

/** Throws when the file is not the one that its database knows. */
function checkHistory(path: string, lines: Line[], { size, check }: Position, id: Bytes): void {
  const first = lines[0]?.entries[0];
  if (first && (first.kind !== "database" || first.id !== id))
    throw new Error(
      `${path}, expected the journal of this database, got another's: move it away, or put its database back`,
    );
  if (size === 0 || lines.some(({ end }) => end.size === size && end.check === check)) return;
  throw new Error(
    `${path}, expected at least what its database knows, got an older or another copy: put back the newest`,
  );
}

export function openJournal(database: Database, audit: AuditLog, path: string): Journal {
  const id = databaseId(database);
  const state = journalState(database);
  const replay = createReplay(database);
  const file = openJournalFile(path, state.get().size === 0);

  function bringIn(lines: Line[]): void {
    const entries = lines.flatMap((line) => line.entries).filter(({ kind }) => kind !== "database");
    if (entries.length === 0) return;
    const gap = entries.map(replay.apply).findLast((head) => head !== undefined);
    const missing = gap ? { sequence: gap.sequence, hash: toHex(gap.hash) } : {};
    audit.append({
      ...{ kind: "act", class: "journal", reason: gap ? AUDIT_GAP : "replayed" },
      details: { entries: entries.length, ...missing },
    });
  }

  /** Under the write lock, like everything below. */
  function catchUp(): void {
    const known = state.get();
    const lines = file.read(known);
    bringIn(lines);
    const end = lines.at(-1)?.end;
    if (end) state.set(end, known.head);
  }

  /** `head` is one that was committed before: a head that a crash takes back would be a gap. */
  function write(kept: JournalEntry[], { sequence, hash }: AuditHead): void {
    const known = state.get();
    const entries: JournalEntry[] =
      sequence > known.head ? [{ kind: "head", sequence, hash }, ...kept] : kept;
    if (entries.length === 0) return;
    state.set(file.append(entries, known), Math.max(sequence, known.head));
  }

  const start = database.transaction(() => {
    const known = state.get();
    const lines = file.read(START);
    checkHistory(path, lines, known, id);
    if (lines.length === 0) state.set(file.append([{ kind: "database", id }], START), 0);
    else catchUp();
  });

  const keepHead = database.transaction(() => {
    const head = audit.head();
    catchUp();
    write([], head);
  });

  try {
    start.immediate();
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    protect<Args extends unknown[], Result>(work: (keep: Keep, ...args: Args) => Result) {
      const run = database.transaction((args: Args): Result => {
        const head = audit.head();
        catchUp();
        const kept: JournalEntry[] = [];
        const result = work((entry) => kept.push(entry), ...args);
        if (kept.length > 0) write(kept, head);
        return result;
      });
      return (...args: Args): Result => run.immediate(args);
    },
    keepHead: () => keepHead.immediate(),
    close: () => file.close(),
  };
}
