import { createHash } from "node:crypto";
import type { Database } from "better-sqlite3";
import type { AuditLog } from "../audit/log.ts";
import { createRefusalRows } from "../audit/refusals.ts";
import { fromBuffer, toBuffer } from "../crypto/convert.ts";
import type { Counts, Store } from "./store.ts";

type Totals = Omit<Counts, "refused">;

/**
 * Refusals are counted in memory and written together: a write for each would let
 * garbage cost as much as a reading. A crash forgets at most this much counting.
 */
const WRITE_EVERY_MS = 1000;

interface Tally {
  count: number;
  lastClass: string | null;
  lastKid: Buffer | null;
  lastAt: number;
}

export interface RefusalTable extends Pick<Store, "countRefusal" | "counts"> {
  /** Writes what is counted and stops the timer. */
  finish(): void;
}

export function refusalTable(
  database: Database,
  audit: AuditLog,
  clock: () => number,
): RefusalTable {
  const add = database.prepare(
    `INSERT INTO refusal (reason, count, last_class, last_kid, last_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (reason) DO UPDATE SET count = count + excluded.count,
       last_class = excluded.last_class, last_kid = excluded.last_kid, last_at = excluded.last_at`,
  );
  const totals = database.prepare<[], Totals>(
    `SELECT (SELECT count(*) FROM device) AS devices, (SELECT count(*) FROM session) AS sessions,
       (SELECT count(*) FROM event) AS events, (SELECT count(*) FROM reading) AS readings, (SELECT count(*) FROM record) AS records`,
  );
  const refusals = database.prepare<[], { reason: string; count: number }>(
    "SELECT reason, count FROM refusal ORDER BY reason",
  );
  // At most one entry for each reason, and reasons are a closed union.
  const tallies = new Map<string, Tally>();
  const auditRows = createRefusalRows(clock);
  let timer: NodeJS.Timeout | undefined;

  const writeAll = database.transaction((rest: boolean) => {
    auditRows.due(rest).forEach(audit.append);
    for (const [reason, { count, lastClass, lastKid, lastAt }] of tallies)
      add.run(reason, count, lastClass, lastKid, lastAt);
  });

  /** `rest`: with what would wait for its minute. */
  function write(rest: boolean): void {
    clearTimeout(timer);
    timer = undefined;
    if (tallies.size > 0 || auditRows.due(rest).length > 0) {
      writeAll.immediate(rest);
      auditRows.written(rest);
      tallies.clear();
    }
    if (auditRows.isWaiting()) schedule();
  }

  /** A full disk keeps the counts for the next attempt. */
  function tryToWrite(): void {
    try {
      write(false);
    } catch {
      schedule();
    }
  }

  function schedule(): void {
    timer ??= setTimeout(tryToWrite, WRITE_EVERY_MS).unref();
  }

  return {
    async countRefusal(reason, messageClass, kid, now, message = Buffer.alloc(0)) {
      tallies.set(reason, {
        count: (tallies.get(reason)?.count ?? 0) + 1,
        lastClass: messageClass ?? null,
        lastKid: kid === undefined ? null : toBuffer(kid, "kid"),
        lastAt: now,
      });
      auditRows.add({
        ...{ reason, class: messageClass, kid },
        hash: () => fromBuffer(createHash("sha256").update(message).digest()),
      });
      schedule();
    },
    async counts() {
      write(false);
      const refused: Counts["refused"] = {};
      for (const row of refusals.all()) refused[row.reason] = row.count;
      return { ...(totals.get() as Totals), refused };
    },
    finish() {
      try {
        write(true);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
