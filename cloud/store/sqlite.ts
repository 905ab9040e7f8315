import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { createAuditLog } from "../audit/log.ts";
import { type Journal, journalPath, openJournal, withoutJournal } from "../journal/journal.ts";
import { MIGRATIONS } from "./migrations.ts";
import { commandTables } from "./sqlite-command.ts";
import { datingView } from "./sqlite-dating.ts";
import { deviceTable } from "./sqlite-device.ts";
import { enrolmentTables } from "./sqlite-enrolment.ts";
import { eventTable } from "./sqlite-event.ts";
import { keyCheckTable } from "./sqlite-key-check.ts";
import { readingTables } from "./sqlite-reading.ts";
import { refusalTable } from "./sqlite-refusal.ts";
import { sessionTable } from "./sqlite-session.ts";
import { signedTable } from "./sqlite-signed.ts";
import type { Store } from "./store.ts";

/** How long a transaction waits for another process, such as `device register`. */
const BUSY_MS = 5000;

/** An hour of audit rows at most is vouched for by no head outside the database. */
const HEAD_EVERY_MS = 3_600_000;

/** Makes the file and its directory for the owner alone: names and readings are in it, in clear. */
function createFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, constants.O_CREAT | constants.O_RDWR, 0o600));
}

function checkReferences(database: Database.Database): void {
  const broken = database.pragma("foreign_key_check") as { table: string }[];
  if (broken[0])
    throw new Error(
      `database, expected rows that belong together, got a stray one of ${broken[0].table}`,
    );
}

/**
 * References are not watched while steps are taken: one that makes a table anew must drop
 * the old. They are checked before the commit, and watched from then on.
 */
function migrate(database: Database.Database): void {
  database.pragma("foreign_keys = OFF");
  const takeSteps = database.transaction(() => {
    const done = database.pragma("user_version", { simple: true }) as number;
    if (done > MIGRATIONS.length)
      throw new Error(
        `database, expected at most version ${MIGRATIONS.length}, got ${done}: a newer coseflow made it`,
      );
    const steps = MIGRATIONS.slice(done);
    for (const step of steps) database.exec(step);
    if (steps.length > 0) checkReferences(database);
    database.pragma(`user_version = ${MIGRATIONS.length}`);
  });
  takeSteps.immediate();
  database.pragma("foreign_keys = ON");
}

/** WAL with synchronous FULL: a transaction is on the disk when it returns. */
export function makeDurable(database: Database.Database): void {
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
}

export interface StoreParts {
  /** Undefined: nothing outlives the database. */
  journal?: Journal | undefined;
  /** Unix milliseconds, for the audit log and command counters. */
  now?: (() => number) | undefined;
}

/** Writes the audit log's head into the journal now and then. A full disk only makes it late. */
function keepHeads(journal: Journal): NodeJS.Timeout {
  const keep = () => {
    try {
      journal.keepHead();
    } catch {
      // The next one is as good.
    }
  };
  return setInterval(keep, HEAD_EVERY_MS).unref();
}

/** The store over a database that has its tables; closing it closes the database. */
export function storeOf(database: Database.Database, parts: StoreParts = {}): Store {
  const { journal = withoutJournal(database), now = Date.now } = parts;
  const audit = createAuditLog(database, now);
  const { finish, ...refusals } = refusalTable(database, audit, now);
  const signed = signedTable(database, audit);
  const heads = keepHeads(journal);
  return {
    ...keyCheckTable(database),
    ...deviceTable(database, audit, journal),
    hasSigned: signed.hasSigned,
    ...enrolmentTables(database, signed, audit, journal),
    ...commandTables(database, signed, audit, journal, now),
    ...sessionTable(database, signed, audit, journal),
    ...eventTable(database, signed),
    ...readingTables(database),
    ...datingView(database),
    ...refusals,
    async close() {
      if (!database.open) return;
      clearInterval(heads);
      try {
        finish();
        journal.keepHead();
      } finally {
        database.close();
        journal.close();
      }
    },
  };
}

/** What SQLite says, and the system of a full disk, names no file: it gets the database's. */
export function nameDatabase(error: unknown, path: string): unknown {
  const { code, path: named } = error as NodeJS.ErrnoException;
  const isNameless = named === undefined && /^(?:SQLITE_|ENOSPC|EDQUOT|EFBIG|EIO)/.test(`${code}`);
  return isNameless ? Object.assign(error as Error, { path }) : error;
}

/** The database of a file, made if it is not there, with all its tables. */
export function openDatabase(path: string): Database.Database {
  createFile(path);
  const database = new Database(path, { timeout: BUSY_MS });
  try {
    makeDurable(database);
    migrate(database);
  } catch (error) {
    database.close();
    throw nameDatabase(error, path);
  }
  return database;
}

/**
 * A store in one SQLite file, made if it is not there, with its journal beside it. What a
 * method has stored when it resolves is on the disk, so it may be acknowledged.
 */
export function openSqliteStore(path: string, now = Date.now): Store {
  const database = openDatabase(path);
  try {
    const journal = openJournal(database, createAuditLog(database, now), journalPath(path));
    return storeOf(database, { journal, now });
  } catch (error) {
    database.close();
    throw nameDatabase(error, path);
  }
}
