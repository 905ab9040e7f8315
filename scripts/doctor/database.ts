import { existsSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { MIGRATIONS } from "../../cloud/store/migrations.ts";
import { makeDurable } from "../../cloud/store/sqlite.ts";
import { explain } from "../cli/exit.ts";
import { bad, type Check, type Finding, ok, warn } from "./check.ts";
import { fileSystemOf, nearestFolder } from "./file-systems.ts";
import type { Machine } from "./machine.ts";

/** A transaction of serve takes milliseconds. */
const BUSY_MS = 1000;
/** PRAGMA synchronous: FULL. */
const FULL = 2;

const IN_MEMORY = ["tmpfs", "ramfs"];
const NETWORK = /^(?:nfs|cifs|smb|9p|afs|ceph|glusterfs|fuse\.(?:sshfs|s3fs|rclone))/;
const LAYERED = ["overlay", "aufs"];

const ELSEWHERE = "coseflow serve --db <a file on a disk of this machine>";

/** Whether what the cloud has stored stays stored: file system, journal, locks, version. */
export function databaseCheck(machine: Machine, path: string): Check {
  const folder = nearestFolder(dirname(path));

  function checkFileSystem(): Finding {
    const type = fileSystemOf(machine.proc, folder);
    const text = `${folder} is on ${type}`;
    if (IN_MEMORY.includes(type))
      return bad(text, "it is memory: a reboot loses what was receipted as stored", ELSEWHERE);
    if (NETWORK.test(type))
      return bad(text, "SQLite's journal needs locks and memory that are shared", ELSEWHERE);
    if (LAYERED.includes(type))
      return warn(text, "it goes when its container is removed", "keep the database on a volume");
    return ok(text);
  }

  /** The settings of the store, tried in the folder itself: only there they show what they are worth. */
  function checkJournal(): Finding {
    const trial = join(folder, `.coseflow-doctor-${process.pid}.db`);
    try {
      const database = new Database(trial);
      try {
        makeDurable(database);
        database.exec("CREATE TABLE trial (value INTEGER); INSERT INTO trial VALUES (1)");
        const journal = database.pragma("journal_mode", { simple: true });
        const synchronous = database.pragma("synchronous", { simple: true });
        if (journal === "wal" && synchronous === FULL)
          return ok("a transaction is on the disk when it ends (WAL, synchronous FULL)");
        return bad(
          `journal ${journal}, synchronous ${synchronous}; expected wal and ${FULL}`,
          "this file system does not let SQLite write durably",
          ELSEWHERE,
        );
      } finally {
        database.close();
      }
    } catch (error) {
      const isFull = (error as { code?: string }).code === "SQLITE_FULL";
      return bad(
        `${folder}: ${explain(error)}`,
        "serve cannot write its database there",
        isFull ? `df -h ${folder}` : `sudo chown ${machine.user.name} ${folder}, or: ${ELSEWHERE}`,
      );
    } finally {
      for (const suffix of ["", "-wal", "-shm", "-journal"])
        rmSync(trial + suffix, { force: true });
    }
  }

  function checkVersion(database: Database.Database): Finding {
    const version = database.pragma("user_version", { simple: true }) as number;
    if (version <= MIGRATIONS.length) return ok(`${path}: version ${version}, not locked`);
    return bad(
      `${path}: version ${version}, expected at most ${MIGRATIONS.length}`,
      "a newer coseflow made it",
      "git pull && npm ci && npm run build",
    );
  }

  function problemOf(error: unknown): Finding {
    const { code } = error as { code?: string };
    if (code?.startsWith("SQLITE_BUSY"))
      return bad(
        `${path}: locked by another process for more than ${BUSY_MS} ms`,
        "something other than serve holds a transaction open, such as an sqlite3 shell",
        `fuser -v ${path}`,
      );
    if (code?.startsWith("SQLITE_CANTOPEN"))
      return bad(
        `${path}: cannot be opened`,
        "it is a folder, or belongs to another user",
        `ls -ld ${path}`,
      );
    return bad(
      `${path}: ${explain(error)}`,
      "it is damaged, or no database of the cloud",
      `mv ${path} ${path}.bad, and restore a backup`,
    );
  }

  /** Takes the lock that a transaction takes, and gives it back. */
  function checkFile(): Finding {
    try {
      const database = new Database(path, { fileMustExist: true, timeout: BUSY_MS });
      try {
        const finding = checkVersion(database);
        database.exec("BEGIN IMMEDIATE; ROLLBACK");
        return finding;
      } finally {
        database.close();
      }
    } catch (error) {
      return problemOf(error);
    }
  }

  return {
    name: "database",
    async run() {
      const file = existsSync(path) ? checkFile() : ok(`${path}: not there yet; serve makes it`);
      return [checkFileSystem(), checkJournal(), file];
    },
  };
}
