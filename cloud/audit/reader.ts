import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { readLastHead } from "../journal/last-head.ts";
import type { ExportedHead } from "./head.ts";
import { createAuditLog, databaseId, readAudit, tailAudit } from "./log.ts";
import type { AuditRow } from "./row.ts";
import { type AuditReport, type ExpectedHead, verifyAudit } from "./verify.ts";

/** A log as an auditor reads it: nothing of the database is changed, not even brought up to date. */
export interface AuditReader {
  /** Against the heads given, and the last one in the journal. */
  verify(heads: (ExportedHead & ExpectedHead)[]): AuditReport;
  tail(count: number): AuditRow[];
  head(): ExportedHead;
  close(): void;
}

function checkVersion(database: Database.Database): void {
  const found = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'audit'").get();
  if (!found)
    throw new Error(
      'database, expected an audit log, got none: a "coseflow serve" of this version makes it',
    );
}

export function openAudit(path: string): AuditReader {
  if (!existsSync(path)) throw new Error(`${path}, expected a database, got no such file`);
  const database = new Database(path, { readonly: true });
  try {
    checkVersion(database);
  } catch (error) {
    database.close();
    throw error;
  }
  const id = databaseId(database);
  return {
    verify(heads) {
      const foreign = heads.find((head) => head.database !== id);
      if (foreign)
        throw new Error(`${foreign.from}, expected a head of this database, got another's`);
      const read = database.transaction(() => {
        const kept = readLastHead(path, id);
        return verifyAudit(id, readAudit(database), kept ? [...heads, kept] : heads);
      });
      return read();
    },
    tail: (count) => tailAudit(database, count),
    head: () => ({ database: id, ...createAuditLog(database, Date.now).head() }),
    close: () => database.close(),
  };
}
