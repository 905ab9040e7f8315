import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { MIGRATIONS } from "./migrations.ts";
import { datingView } from "./sqlite-dating.ts";
import { deviceTable } from "./sqlite-device.ts";
import { eventTable } from "./sqlite-event.ts";
import { keyCheckTable } from "./sqlite-key-check.ts";
import { readingTables } from "./sqlite-reading.ts";
import { refusalTable } from "./sqlite-refusal.ts";
import { sessionTable } from "./sqlite-session.ts";
import { signedTable } from "./sqlite-signed.ts";
import type { Store } from "./store.ts";

/** How long a transaction waits for another process, such as `device register`. */
const BUSY_MS = 5000;

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

/** The store over a database that has its tables; closing it closes the database. */
export function storeOf(database: Database.Database): Store {
  const { finish, ...refusals } = refusalTable(database);
  const signed = signedTable(database);
  return {
    ...keyCheckTable(database),
    ...deviceTable(database),
    hasSigned: signed.hasSigned,
    ...sessionTable(database, signed),
    ...eventTable(database, signed),
    ...readingTables(database),
    ...datingView(database),
    ...refusals,
    async close() {
      try {
        finish();
      } finally {
        database.close();
      }
    },
  };
}

/**
 * A store in one SQLite file, made if it is not there. What a method has
 * stored when it resolves is on the disk, so it may be acknowledged.
 */
export function openSqliteStore(path: string): Store {
  createFile(path);
  const database = new Database(path, { timeout: BUSY_MS });
  try {
    makeDurable(database);
    migrate(database);
  } catch (error) {
    database.close();
    throw error;
  }
  return storeOf(database);
}
