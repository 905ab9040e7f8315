import type { Database } from "better-sqlite3";
import type { Bytes } from "../../protocol/bytes.ts";
import { toBuffer } from "../crypto/convert.ts";
import type { SignedTable } from "./sqlite-signed.ts";
import type { DeviceEvent, SignedCommit, Store } from "./store.ts";

export function eventTable(database: Database, signed: SignedTable): Pick<Store, "commitEvent"> {
  const insert = database.prepare(
    "INSERT INTO event (device, counter, received_at, payload) VALUES (?, ?, ?, ?)",
  );

  const commit = database.transaction((event: DeviceEvent, hash: Bytes): SignedCommit => {
    const outcome = signed.claim(event.device, event.counter, hash, "event");
    if (outcome !== "stored") return outcome;
    const device = toBuffer(event.device, "key id");
    insert.run(device, event.counter, event.receivedAt, toBuffer(event.payload, "payload"));
    return outcome;
  });

  return {
    async commitEvent(event, hash) {
      return commit.immediate(event, hash);
    },
  };
}
