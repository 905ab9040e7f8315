import type { Database } from "better-sqlite3";
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import type { AuditLog } from "../audit/log.ts";
import { toBuffer } from "../crypto/convert.ts";
import type { SignedCommit, Store } from "./store.ts";

/** Classes of messages that a device signs. */
export type SignedClass = "session" | "event" | "enrol" | "reply";

/** The one place that says which counters of a device are spent, and by which message. */
export interface SignedTable extends Pick<Store, "hasSigned"> {
  /**
   * Within the caller's transaction, before it stores what the message holds. A message
   * that is new gets its row in the audit log.
   */
  claim(device: Bytes, counter: number, hash: Bytes, messageClass: SignedClass): SignedCommit;
  /** What `claim` would say of a message that is not new. */
  find(device: Bytes, counter: number, hash: Bytes): "repeat" | "conflict" | undefined;
}

export function signedTable(database: Database, audit: AuditLog): SignedTable {
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

  function find(device: Bytes, counter: number, hash: Bytes): "repeat" | "conflict" | undefined {
    const known = findHash.get(toBuffer(device, "key id"), counter);
    if (!known) return undefined;
    return known.equals(toBuffer(hash, "hash")) ? "repeat" : "conflict";
  }

  return {
    find,
    claim(device, counter, hash, messageClass) {
      const known = find(device, counter, hash);
      if (known) return known;
      insert.run(toBuffer(device, "key id"), counter, toBuffer(hash, "hash"));
      const details = { counter, hash: toHex(hash) };
      audit.append({ kind: "accept", class: messageClass, kid: device, details });
      return "stored";
    },
    async hasSigned(device, hash) {
      return has.get(toBuffer(device, "key id"), toBuffer(hash, "hash")) !== undefined;
    },
  };
}
