import type { Database } from "better-sqlite3";
import { toBuffer } from "../crypto/convert.ts";
import type { Counts, Store } from "./store.ts";

type Totals = Omit<Counts, "refused">;

export function refusalTable(database: Database): Pick<Store, "countRefusal" | "counts"> {
  const count = database.prepare(
    `INSERT INTO refusal (reason, count, last_class, last_kid, last_at) VALUES (?, 1, ?, ?, ?)
     ON CONFLICT (reason) DO UPDATE SET count = count + 1, last_class = excluded.last_class,
       last_kid = excluded.last_kid, last_at = excluded.last_at`,
  );
  const totals = database.prepare<[], Totals>(
    `SELECT (SELECT count(*) FROM device) AS devices, (SELECT count(*) FROM session) AS sessions,
       (SELECT count(*) FROM reading) AS readings, (SELECT count(*) FROM record) AS records`,
  );
  const refusals = database.prepare<[], { reason: string; count: number }>(
    "SELECT reason, count FROM refusal ORDER BY reason",
  );

  return {
    async countRefusal(reason, messageClass, kid, now) {
      count.run(reason, messageClass ?? null, kid === undefined ? null : toBuffer(kid, "kid"), now);
    },
    async counts() {
      const refused: Counts["refused"] = {};
      for (const row of refusals.all()) refused[row.reason] = row.count;
      return { ...(totals.get() as Totals), refused };
    },
  };
}
