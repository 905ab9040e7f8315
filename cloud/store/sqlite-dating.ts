import type { Database } from "better-sqlite3";
import type { Bytes } from "../../protocol/bytes.ts";
import { toBuffer } from "../crypto/convert.ts";
import type { DatedReading, Store } from "./store.ts";

/**
 * Records listed for one report: beyond what a device's queue in flash can hold, and a bound
 * on the memory that one which stored a great many without a time can ask for.
 */
export const MAX_DATED_RECORDS = 65536;

interface DatedRow {
  session: number;
  sequence: number;
  name: string;
  unit: string | null;
  value: number | null;
  truth: number | null;
  time: number;
}

/** Rows in order, the records of each reading together. */
function toReadings(rows: DatedRow[]): DatedReading[] {
  const readings: DatedReading[] = [];
  for (const { session, sequence, name, unit, value, truth, time } of rows) {
    let reading = readings.at(-1);
    if (reading?.session !== session || reading.sequence !== sequence) {
      reading = { session, sequence, records: [], date: time };
      readings.push(reading);
    }
    const stored = { name, unit: unit ?? undefined, value: value ?? truth === 1 };
    reading.records.push({ ...stored, time: undefined });
  }
  return readings;
}

/** Reads dates. Nothing is written for them: the view measurement holds the rule. */
export function datingView(database: Database): Pick<Store, "findDate" | "listDated"> {
  const find = database
    .prepare<[Buffer, number, number], number>(
      `SELECT time FROM measurement
       WHERE device = ? AND session = ? AND sequence = ? AND time_from = 'boot-report' LIMIT 1`,
    )
    .pluck();
  const list = database.prepare<[{ device: Buffer; counter: number }], DatedRow>(
    `SELECT session, sequence, name, unit, value, truth, time FROM measurement
     WHERE device = @device AND report = @counter
       AND session >= (SELECT first_session FROM boot_report
                       WHERE device = @device AND counter = @counter)
       AND session <= (SELECT last_session FROM boot_report
                       WHERE device = @device AND counter = @counter)
     ORDER BY session, sequence, position LIMIT ${MAX_DATED_RECORDS}`,
  );

  return {
    async findDate(device: Bytes, session: number, sequence: number) {
      return find.get(toBuffer(device, "key id"), session, sequence);
    },
    async listDated(device: Bytes, counter: number) {
      return toReadings(list.all({ device: toBuffer(device, "key id"), counter }));
    },
  };
}
