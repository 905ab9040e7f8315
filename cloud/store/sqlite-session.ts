import type { Database } from "better-sqlite3";
import type { Bytes } from "../../protocol/bytes.ts";
import { fromBuffer, toBuffer } from "../crypto/convert.ts";
import type { SignedTable } from "./sqlite-signed.ts";
import type { Session, SignedCommit, Store } from "./store.ts";

interface SessionRow {
  device: Buffer;
  counter: number;
  sealed_key: Buffer;
  base_iv: Buffer;
  committed_at: number;
}

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
): Pick<Store, "commitSession" | "findSession" | "takeReceipt"> {
  const find = database.prepare<[Buffer, number], SessionRow>(
    `SELECT ${COLUMNS} FROM session WHERE device = ? AND counter = ?`,
  );
  const insert = database.prepare(`INSERT INTO session (${COLUMNS}) VALUES (?, ?, ?, ?, ?)`);
  // The newest is the one with the highest counter: messages may arrive in any order.
  const take = database.prepare<[{ device: Buffer; limit: number }], SessionRow>(
    `UPDATE session SET receipts = receipts + 1
     WHERE device = @device AND receipts < @limit
       AND counter = (SELECT max(counter) FROM session WHERE device = @device)
     RETURNING ${COLUMNS}`,
  );

  const commit = database.transaction((session: Session, hash: Bytes): SignedCommit => {
    const outcome = signed.claim(session.device, session.counter, hash);
    if (outcome !== "stored") return outcome;
    const device = toBuffer(session.device, "key id");
    const sealedKey = toBuffer(session.sealedKey, "sealed key");
    const baseIv = toBuffer(session.baseIv, "Base IV");
    insert.run(device, session.counter, sealedKey, baseIv, session.committedAt);
    return outcome;
  });

  return {
    async commitSession(session, hash) {
      return commit.immediate(session, hash);
    },
    async findSession(device, counter) {
      const row = find.get(toBuffer(device, "key id"), counter);
      return row && toSession(row);
    },
    async takeReceipt(device, limit) {
      const row = take.get({ device: toBuffer(device, "key id"), limit });
      return row && toSession(row);
    },
  };
}
