import type { Database } from "better-sqlite3";
import { type AuditLog, databaseId } from "../audit/log.ts";
import { fromBuffer } from "../crypto/convert.ts";
import type { ClosedState, JournalEntry } from "./entry.ts";
import { openJournalFile, START } from "./file.ts";
import { journalState } from "./state.ts";

interface ClosedRow {
  public_key: Buffer;
  thumbprint: Buffer;
  state: ClosedState;
  registered_at: number;
}

/** What the database itself knows of what the journal is to remember. */
function entriesOf(database: Database): JournalEntry[] {
  const devices = database.prepare<[], ClosedRow>(
    "SELECT * FROM device WHERE state IN ('rolled', 'deleting', 'deleted', 'revoked') ORDER BY kid",
  );
  const claims = database.prepare<[], { hash: Buffer; used_by: Buffer; used_at: number }>(
    "SELECT hash, used_by, used_at FROM claim WHERE used_at IS NOT NULL ORDER BY hash",
  );
  const counters = database.prepare<[], { device: Buffer; last: number }>(
    "SELECT device, last FROM command_counter ORDER BY device",
  );
  return [
    { kind: "database", id: databaseId(database) },
    ...devices.all().map(
      (row): JournalEntry => ({
        kind: "device",
        publicKey: fromBuffer(row.public_key),
        thumbprint: fromBuffer(row.thumbprint),
        state: row.state,
        at: row.registered_at,
      }),
    ),
    ...claims.all().map(
      (row): JournalEntry => ({
        kind: "claim",
        hash: fromBuffer(row.hash),
        kid: fromBuffer(row.used_by),
        at: row.used_at,
      }),
    ),
    ...counters.all().map(
      (row): JournalEntry => ({
        kind: "command",
        kid: fromBuffer(row.device),
        counter: row.last,
      }),
    ),
  ];
}

/**
 * Makes a journal anew from its database, for one that is lost. Only the database's own
 * knowledge is in it: after an old backup this is where the deleted come back. Throws when
 * a journal is there.
 */
export function rebuildJournal(database: Database, audit: AuditLog, path: string): void {
  const file = openJournalFile(path, true);
  const run = database.transaction(() => {
    if (file.read(START).length > 0)
      throw new Error(`${path}, expected no journal, got one: it is never replaced`);
    const head = audit.head();
    const entries = entriesOf(database);
    if (head.sequence > 0) entries.push({ kind: "head", ...head });
    audit.append({
      kind: "act",
      class: "journal",
      reason: "rebuilt",
      details: { entries: entries.length },
    });
    journalState(database).set(file.append(entries, START), head.sequence);
  });
  try {
    run.immediate();
  } finally {
    file.close();
  }
}
