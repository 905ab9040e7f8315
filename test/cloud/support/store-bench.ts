/** A store in a file, with a clock of the test's and keys without cryptography behind them. */
import { createHash } from "node:crypto";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { readAudit } from "../../../cloud/audit/log.ts";
import type { AuditRow } from "../../../cloud/audit/row.ts";
import { fromBuffer } from "../../../cloud/crypto/convert.ts";
import { journalPath } from "../../../cloud/journal/journal.ts";
import type { CommandDraft, MadeCommand } from "../../../cloud/store/commands.ts";
import type { Claim, Enrolment } from "../../../cloud/store/enrolment.ts";
import { openSqliteStore } from "../../../cloud/store/sqlite.ts";
import type { Device, Store } from "../../../cloud/store/store.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { kidOf } from "../../../protocol/kid.ts";

/** Unix seconds. */
export const NOW = 1_800_000_000;

export function hashOf(text: string): Bytes {
  return fromBuffer(createHash("sha256").update(text).digest());
}

/** A device whose key is made from its name. */
export function deviceOf(name: string): Device {
  const thumbprint = hashOf(`thumbprint of ${name}`);
  const publicKey = `\x04${hashOf(`x of ${name}`)}${hashOf(`y of ${name}`)}` as Bytes;
  return { kid: kidOf(thumbprint), publicKey, thumbprint, name: undefined };
}

export function claimOf(text: string, change: Partial<Claim> = {}): Claim {
  const claim = { hash: hashOf(text), userId: "ann", deviceId: undefined };
  return { ...claim, madeAt: NOW, expiresAt: NOW + 3600, ...change };
}

/** An enrolment of the device, by the claim "c" unless another is given. */
export function enrolmentOf(device: Device, change: Partial<Enrolment> = {}): Enrolment {
  return {
    publicKey: device.publicKey,
    thumbprint: device.thumbprint,
    deviceId: "boiler",
    userId: "ann",
    claim: hashOf("c"),
    counter: 1,
    certificate: "certificate" as Bytes,
    reply: "reply" as Bytes,
    enrolledAt: NOW + 1,
    ...change,
  };
}

export function draftOf(device: Device, change: Partial<CommandDraft> = {}): CommandDraft {
  const draft = { device: device.kid, action: "update", form: "sealed", userId: "ann" } as const;
  return { ...draft, issuedAt: NOW, expiresAt: NOW + 600, ...change };
}

export function makeCommand(counter: number): MadeCommand {
  return { message: `command ${counter}` as Bytes, hash: hashOf(`command ${counter}`) };
}

export function openStoreBench(directory: string) {
  const path = join(directory, "cloud.db");
  /** Unix milliseconds. */
  const clock = { now: NOW * 1000 };
  const opened: Store[] = [];
  const open = () => {
    const store = openSqliteStore(path, () => clock.now);
    opened.push(store);
    return store;
  };

  return {
    path,
    journal: journalPath(path),
    clock,
    store: open(),
    /** The same files once more, as another process has them. */
    open,
    sql<Result>(run: (database: Database.Database) => Result): Result {
      const database = new Database(path);
      try {
        return run(database);
      } finally {
        database.close();
      }
    },
    audit(): AuditRow[] {
      return this.sql((database) => [...readAudit(database)]);
    },
    /** The database as it is now, without its journal. */
    async backUp(): Promise<string> {
      const copy = join(directory, "backup.db");
      rmSync(copy, { force: true });
      const database = new Database(path);
      await database.backup(copy);
      database.close();
      return copy;
    },
    /** Puts a backup back, beside the journal that is there; every store must be closed. */
    restore(copy: string): void {
      for (const file of [path, `${path}-wal`, `${path}-shm`]) rmSync(file, { force: true });
      copyFileSync(copy, path);
    },
    async close(): Promise<void> {
      for (const store of opened.splice(0)) await store.close();
    },
  };
}

export type StoreBench = ReturnType<typeof openStoreBench>;
