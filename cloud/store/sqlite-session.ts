import type { Database } from "better-sqlite3";
import { fromBuffer, toBuffer } from "../crypto/convert.ts";
import type { Session, SessionCommit, Store } from "./store.ts";

interface SessionRow {
  device: Buffer;
  counter: number;
  sealed_key: Buffer;
  base_iv: Buffer;
  hash: Buffer;
  committed_at: number;
}

const COLUMNS = "device, counter, sealed_key, base_iv, hash, committed_at";

function toSession(row: SessionRow): Session {
  return {
    device: fromBuffer(row.device),
    counter: row.counter,
    sealedKey: fromBuffer(row.sealed_key),
    baseIv: fromBuffer(row.base_iv),
    hash: fromBuffer(row.hash),
    committedAt: row.committed_at,
  };
}

export function sessionTable(
  database: Database,
): Pick<Store, "commitSession" | "findSession" | "findSessionByHash" | "takeReceipt"> {
  const find = database.prepare<[Buffer, number], SessionRow>(
    `SELECT ${COLUMNS} FROM session WHERE device = ? AND counter = ?`,
  );
  const findByHash = database.prepare<[Buffer, Buffer], SessionRow>(
    `SELECT ${COLUMNS} FROM session WHERE device = ? AND hash = ?`,
  );
  const insert = database.prepare(`INSERT INTO session (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`);
  // The newest is the one with the highest counter: messages may arrive in any order.
  const take = database.prepare<[{ device: Buffer; limit: number }], SessionRow>(
    `UPDATE session SET receipts = receipts + 1
     WHERE device = @device AND receipts < @limit
       AND counter = (SELECT max(counter) FROM session WHERE device = @device)
     RETURNING ${COLUMNS}`,
  );

  const commit = database.transaction((session: Session): SessionCommit => {
    const device = toBuffer(session.device, "key id");
    const hash = toBuffer(session.hash, "hash");
    const known = find.get(device, session.counter);
    if (known) return known.hash.equals(hash) ? "repeat" : "conflict";
    const sealedKey = toBuffer(session.sealedKey, "sealed key");
    const baseIv = toBuffer(session.baseIv, "Base IV");
    insert.run(device, session.counter, sealedKey, baseIv, hash, session.committedAt);
    return "stored";
  });

  return {
    async commitSession(session) {
      return commit.immediate(session);
    },
    async findSession(device, counter) {
      const row = find.get(toBuffer(device, "key id"), counter);
      return row && toSession(row);
    },
    async findSessionByHash(device, hash) {
      const row = findByHash.get(toBuffer(device, "key id"), toBuffer(hash, "hash"));
      return row && toSession(row);
    },
    async takeReceipt(device, limit) {
      const row = take.get({ device: toBuffer(device, "key id"), limit });
      return row && toSession(row);
    },
  };
}
