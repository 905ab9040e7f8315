import type { Database } from "better-sqlite3";
import type { Bytes } from "../../protocol/bytes.ts";
import { toBuffer } from "../crypto/convert.ts";
import type { SignedTable } from "./sqlite-signed.ts";
import type { BootReport, DeviceEvent, SignedCommit, Store } from "./store.ts";

export function eventTable(database: Database, signed: SignedTable): Pick<Store, "commitEvent"> {
  const insert = database.prepare(
    "INSERT INTO event (device, counter, received_at, payload) VALUES (?, ?, ?, ?)",
  );

  const insertReport = database.prepare<[{ device: Buffer; counter: number } & BootReport]>(
    `INSERT INTO boot_report
       (device, counter, first_session, last_session, last_sequence, uptime, time)
     VALUES (@device, @counter, @firstSession, @lastSession, @lastSequence, @uptime, @time)`,
  );

  const commit = database.transaction((event: DeviceEvent, hash: Bytes): SignedCommit => {
    const outcome = signed.claim(event.device, event.counter, hash, "event");
    if (outcome !== "stored") return outcome;
    const device = toBuffer(event.device, "key id");
    insert.run(device, event.counter, event.receivedAt, toBuffer(event.payload, "payload"));
    const { counter, bootReport } = event;
    if (bootReport) insertReport.run({ device, counter, ...bootReport });
    return outcome;
  });

  return {
    async commitEvent(event, hash) {
      return commit.immediate(event, hash);
    },
  };
}
