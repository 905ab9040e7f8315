import type { Database } from "better-sqlite3";
import type { Bytes } from "../../protocol/bytes.ts";
import { toHex } from "../../protocol/bytes.ts";
import type { AuditLog } from "../audit/log.ts";
import { fromBuffer, toBuffer } from "../crypto/convert.ts";
import type { Claim, ClaimSummary, EnrolmentStore } from "./enrolment.ts";

interface ClaimRow {
  hash: Buffer;
  user_id: string;
  device_id: string | null;
  made_at: number;
  expires_at: number;
  used_at: number | null;
  used_by: Buffer | null;
}

function toSummary(row: ClaimRow): ClaimSummary {
  return {
    hash: fromBuffer(row.hash),
    userId: row.user_id,
    deviceId: row.device_id ?? undefined,
    madeAt: row.made_at,
    expiresAt: row.expires_at,
    usedAt: row.used_at ?? undefined,
    usedBy: row.used_by === null ? undefined : fromBuffer(row.used_by),
  };
}

export interface ClaimTable extends Pick<EnrolmentStore, "makeClaim" | "listClaims"> {
  /** Both within the caller's transaction. */
  find(hash: Bytes): ClaimSummary | undefined;
  spend(hash: Bytes, kid: Bytes, at: number): void;
}

export function claimTable(database: Database, audit: AuditLog): ClaimTable {
  const insert = database.prepare(
    "INSERT INTO claim (hash, user_id, device_id, made_at, expires_at) VALUES (?, ?, ?, ?, ?)",
  );
  const find = database.prepare<[Buffer], ClaimRow>("SELECT * FROM claim WHERE hash = ?");
  const list = database.prepare<[], ClaimRow>("SELECT * FROM claim ORDER BY made_at, hash");
  const spend = database.prepare("UPDATE claim SET used_at = ?, used_by = ? WHERE hash = ?");

  const make = database.transaction(({ hash, userId, deviceId, madeAt, expiresAt }: Claim) => {
    insert.run(toBuffer(hash, "hash"), userId, deviceId ?? null, madeAt, expiresAt);
    audit.append({ kind: "act", class: "claim", details: { claim: toHex(hash), expiresAt } });
  });

  return {
    async makeClaim(claim) {
      make.immediate(claim);
    },
    async listClaims() {
      return list.all().map(toSummary);
    },
    find(hash) {
      const row = find.get(toBuffer(hash, "hash"));
      return row && toSummary(row);
    },
    spend(hash, kid, at) {
      spend.run(at, toBuffer(kid, "key id"), toBuffer(hash, "hash"));
    },
  };
}
