import type { Database } from "better-sqlite3";
import type { Bytes } from "../../protocol/bytes.ts";
import { toBuffer } from "../crypto/convert.ts";
import type { SignedCommit, Store } from "./store.ts";

/** The one place that says which counters of a device are spent, and by which message. */
export interface SignedTable extends Pick<Store, "hasSigned"> {
  /** Within the caller's transaction, before it stores what the message holds. */
  claim(device: Bytes, counter: number, hash: Bytes): SignedCommit;
}

export function signedTable(database: Database): SignedTable {
  const findHash = database
    .prepare<[Buffer, number], Buffer>(
      "SELECT hash FROM signed_message WHERE device = ? AND counter = ?",
    )
    .pluck();
  const has = database
    .prepare<[Buffer, Buffer], number>("SELECT 1 FROM signed_message WHERE device = ? AND hash = ?")
    .pluck();
  const insert = database.prepare(
    "INSERT INTO signed_message (device, counter, hash) VALUES (?, ?, ?)",
  );

  return {
    claim(device, counter, hash) {
      const kid = toBuffer(device, "key id");
      const name = toBuffer(hash, "hash");
      const known = findHash.get(kid, counter);
      if (known) return known.equals(name) ? "repeat" : "conflict";
      insert.run(kid, counter, name);
      return "stored";
    },
    async hasSigned(device, hash) {
      return has.get(toBuffer(device, "key id"), toBuffer(hash, "hash")) !== undefined;
    },
  };
}
