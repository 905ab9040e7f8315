import type { Database } from "better-sqlite3";
import { toBuffer } from "../crypto/convert.ts";
import type { Reading, Store, StoredRecord } from "./store.ts";

/** A record's value goes into one of two columns; the other stays NULL. */
function valueColumns(value: StoredRecord["value"]): [number | null, number | null] {
  return typeof value === "boolean" ? [null, value ? 1 : 0] : [value, null];
}

export function readingTables(database: Database): Pick<Store, "commitReading"> {
  const insertReading = database.prepare(
    `INSERT INTO reading (device, session, sequence, received_at, uptime) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const insertRecord = database.prepare(
    `INSERT INTO record (device, session, sequence, position, name, unit, value, truth, time)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );

  const commit = database.transaction((reading: Reading): boolean => {
    const device = toBuffer(reading.device, "key id");
    const { session, sequence, receivedAt, uptime } = reading;
    const inserted = insertReading.run(device, session, sequence, receivedAt, uptime ?? null);
    if (inserted.changes === 0) return false;
    reading.records.forEach(({ name, unit, value, time }, position) => {
      const columns = valueColumns(value);
      insertRecord.run(
        ...[device, session, sequence, position, name, unit ?? null, ...columns, time ?? null],
      );
    });
    return true;
  });

  return {
    async commitReading(reading) {
      return commit.immediate(reading);
    },
  };
}
