import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { MIGRATIONS } from "./migrations.ts";
import { deviceTable } from "./sqlite-device.ts";
import { keyCheckTable } from "./sqlite-key-check.ts";
import { readingTables } from "./sqlite-reading.ts";
import { refusalTable } from "./sqlite-refusal.ts";
import { sessionTable } from "./sqlite-session.ts";
import type { Store } from "./store.ts";

/** How long a transaction waits for another process, such as `device register`. */
const BUSY_MS = 5000;

/** Makes the file and its directory for the owner alone: names and readings are in it, in clear. */
function createFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, constants.O_CREAT | constants.O_RDWR, 0o600));
}

function migrate(database: Database.Database): void {
  const takeSteps = database.transaction(() => {
    const done = database.pragma("user_version", { simple: true }) as number;
    if (done > MIGRATIONS.length)
      throw new Error(
        `database, expected at most version ${MIGRATIONS.length}, got ${done}: a newer coseflow made it`,
      );
    for (const step of MIGRATIONS.slice(done)) database.exec(step);
    database.pragma(`user_version = ${MIGRATIONS.length}`);
  });
  takeSteps.immediate();
}

/** WAL with synchronous FULL: a transaction is on the disk when it returns. */
export function makeDurable(database: Database.Database): void {
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
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
    database.pragma("foreign_keys = ON");
    migrate(database);
  } catch (error) {
    database.close();
    throw error;
  }
  const { finish, ...refusals } = refusalTable(database);
  return {
    ...keyCheckTable(database),
    ...deviceTable(database),
    ...sessionTable(database),
    ...readingTables(database),
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
