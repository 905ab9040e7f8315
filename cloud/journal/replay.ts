/** Brings into the database what only the journal knows. Doing it twice changes nothing. */
import type { Database } from "better-sqlite3";
import type { Bytes } from "../../protocol/bytes.ts";
import { kidOf } from "../../protocol/kid.ts";
import type { AuditHead } from "../audit/row.ts";
import { toBuffer } from "../crypto/convert.ts";
import type { JournalEntry } from "./entry.ts";

export interface Replay {
  /** Applies an entry, in the order of the journal; gives a head that the audit log lacks. */
  apply(entry: JournalEntry): AuditHead | undefined;
}

export function createReplay(database: Database): Replay {
  const close = database.prepare(
    `INSERT INTO device (kid, public_key, thumbprint, registered_at, state) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (kid) DO UPDATE SET state = excluded.state, certificate = NULL
       WHERE state NOT IN ('deleted', 'revoked')`,
  );
  const spend = database.prepare(
    "UPDATE claim SET used_at = ?, used_by = ? WHERE hash = ? AND used_at IS NULL",
  );
  const raise = database.prepare(
    `INSERT INTO command_counter (device, last) VALUES (?, ?)
     ON CONFLICT (device) DO UPDATE SET last = max(last, excluded.last)`,
  );
  const hasRow = database
    .prepare<[number, Buffer], number>("SELECT 1 FROM audit WHERE sequence = ? AND hash = ?")
    .pluck();
  const bytes = (value: Bytes) => toBuffer(value, "journal entry");

  return {
    apply(entry) {
      switch (entry.kind) {
        case "database":
          return undefined;
        case "device": {
          const { publicKey, thumbprint, state, at } = entry;
          close.run(bytes(kidOf(thumbprint)), bytes(publicKey), bytes(thumbprint), at, state);
          return undefined;
        }
        case "claim":
          spend.run(entry.at, bytes(entry.kid), bytes(entry.hash));
          return undefined;
        case "command":
          raise.run(bytes(entry.kid), entry.counter);
          return undefined;
        case "head":
          return hasRow.get(entry.sequence, bytes(entry.hash)) === undefined ? entry : undefined;
      }
    },
  };
}
