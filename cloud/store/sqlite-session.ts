import type { Database } from "better-sqlite3";
import type { Bytes } from "../../protocol/bytes.ts";
import type { AuditLog } from "../audit/log.ts";
import { fromBuffer, toBuffer } from "../crypto/convert.ts";
import type { Journal, Keep } from "../journal/journal.ts";
import { rollTable } from "./sqlite-roll.ts";
import type { SignedTable } from "./sqlite-signed.ts";
import type { Session, SignedCommit, Store, ToldRange } from "./store.ts";

interface SessionRow {
  device: Buffer;
  counter: number;
  sealed_key: Buffer;
  base_iv: Buffer;
  committed_at: number;
}

/** Session, first and last sequence number. */
type Ranges = [number, number, number];

const COLUMNS = "device, counter, sealed_key, base_iv, committed_at";

function toSession(row: SessionRow): Session {
  return {
    device: fromBuffer(row.device),
    counter: row.counter,
    sealedKey: fromBuffer(row.sealed_key),
    baseIv: fromBuffer(row.base_iv),
    committedAt: row.committed_at,
  };
}

export function sessionTable(
  database: Database,
  signed: SignedTable,
  audit: AuditLog,
  journal: Journal,
): Pick<Store, "commitSession" | "findSession" | "takeReceipt"> {
  const find = database.prepare<[Buffer, number], SessionRow>(
    `SELECT ${COLUMNS} FROM session WHERE device = ? AND counter = ?`,
  );
  const insert = database.prepare(`INSERT INTO session (${COLUMNS}) VALUES (?, ?, ?, ?, ?)`);
  const rolls = rollTable(database, audit);
  // The newest is the one with the highest counter: messages may arrive in any order.
  const take = database.prepare<[{ device: Buffer; limit: number }], SessionRow>(
    `UPDATE session SET receipts = receipts + 1
     WHERE device = @device AND receipts < @limit
       AND counter = (SELECT max(counter) FROM session WHERE device = @device)
     RETURNING ${COLUMNS}`,
  );

  function commit(keep: Keep, session: Session, hash: Bytes): SignedCommit | "device-rolled" {
    const before = signed.find(session.device, session.counter, hash);
    if (before) return before;
    if (!rolls.takeOver(keep, session.device, session.committedAt)) return "device-rolled";
    const outcome = signed.claim(session.device, session.counter, hash, "session");
    const device = toBuffer(session.device, "key id");
    const sealedKey = toBuffer(session.sealedKey, "sealed key");
    const baseIv = toBuffer(session.baseIv, "Base IV");
    insert.run(device, session.counter, sealedKey, baseIv, session.committedAt);
    return outcome;
  }

  const commitAll = journal.protect(commit);
  const takeAll = database.transaction((device: Bytes, limit: number, fresh: ToldRange[]) => {
    const row = take.get({ device: toBuffer(device, "key id"), limit });
    if (row && fresh.length > 0) {
      const ranges = fresh.map(({ session, first, last }): Ranges => [session, first, last]);
      audit.append({ kind: "accept", class: "reading", kid: device, details: { ranges } });
    }
    return row;
  });

  return {
    async commitSession(session, hash) {
      return commitAll(session, hash);
    },
    async findSession(device, counter) {
      const row = find.get(toBuffer(device, "key id"), counter);
      return row && toSession(row);
    },
    async takeReceipt(device, limit, fresh = []) {
      const row = takeAll.immediate(device, limit, fresh);
      return row && toSession(row);
    },
  };
}
