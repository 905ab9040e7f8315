import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { MIGRATIONS } from "../../../cloud/store/migrations.ts";
import { openSqliteStore } from "../../../cloud/store/sqlite.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { temporaryDirectories } from "../support/temporary.ts";

const temporary = temporaryDirectories();
const KID = "kkkkkkkk" as Bytes;

/** A database as the first version left it: two sessions, one with a reading and receipts. */
function openFirstVersion(path: string): Database.Database {
  const database = new Database(path);
  database.exec(MIGRATIONS[0] as string);
  database.pragma("user_version = 1");
  database.exec(`
    INSERT INTO device VALUES (CAST('kkkkkkkk' AS BLOB), zeroblob(65), zeroblob(32), 'shed', 1);
    INSERT INTO session (device, counter, sealed_key, base_iv, hash, receipts, committed_at)
      SELECT kid, 258, x'aa', zeroblob(12), CAST(printf('%032d', 258) AS BLOB), 5, 10 FROM device;
    INSERT INTO session (device, counter, sealed_key, base_iv, hash, committed_at)
      SELECT kid, 259, x'bb', zeroblob(12), CAST(printf('%032d', 259) AS BLOB), 11 FROM device;
    INSERT INTO reading SELECT kid, 258, 1, 12 FROM device;
    INSERT INTO record SELECT kid, 258, 1, 0, 'door', NULL, NULL, 1, NULL FROM device;
  `);
  return database;
}

const hashOf = (counter: number) => String(counter).padStart(32, "0") as Bytes;

it("keeps what a database of the first version knows, its spent counters above all", async () => {
  const path = join(temporary(), "cloud.db");
  openFirstVersion(path).close();
  const store = openSqliteStore(path);
  try {
    expect(await store.counts()).toMatchObject({
      ...{ devices: 1, sessions: 2, events: 0, readings: 1, records: 1 },
    });
    expect(await store.hasSigned(KID, hashOf(258))).toBe(true);
    expect(await store.findSession(KID, 258)).toMatchObject({ sealedKey: "\xaa", committedAt: 10 });
    const payload = "p" as Bytes;
    const event = { device: KID, counter: 258, receivedAt: 1, payload, bootReport: undefined };
    expect(await store.commitEvent(event, hashOf(1))).toBe("conflict");
    expect(await store.commitEvent(event, hashOf(258))).toBe("repeat");
    expect((await store.takeReceipt(KID, 1))?.counter).toBe(259);
    const place = { device: KID, session: 258, sequence: 1 };
    const reading = { ...place, receivedAt: 1, uptime: undefined, records: [] };
    expect(await store.commitReading(reading)).toBe(false);
    expect(await store.commitReading({ ...reading, sequence: 2 })).toBe(true);
    await expect(store.commitReading({ ...reading, session: 260 })).rejects.toThrow(/FOREIGN KEY/);
  } finally {
    await store.close();
  }
  const database = new Database(path, { readonly: true });
  expect(database.prepare("SELECT receipts FROM session WHERE counter = 258").pluck().get()).toBe(
    5,
  );
  expect(database.pragma("foreign_key_check")).toEqual([]);
  database.close();
});

it("keeps the uptimes of the second version's readings, and dates them by a report that comes", async () => {
  const path = join(temporary(), "cloud.db");
  const database = openFirstVersion(path);
  // As openSqliteStore takes a step: what refers to a table that is made anew is checked after it.
  database.pragma("foreign_keys = OFF");
  database.exec(MIGRATIONS[1] as string);
  database.pragma("user_version = 2");
  let sequence = 0;
  const insertReading = database.prepare("INSERT INTO reading SELECT kid, 259, ?, 12 FROM device");
  const insertRecord = database.prepare(
    `INSERT INTO record (device, session, sequence, position, name, value, truth, time)
     SELECT kid, 259, @sequence, @position, @name, @value, @truth, @time FROM device`,
  );
  const records = (...all: [name: string, value: number | boolean, time?: number][]) => {
    sequence++;
    insertReading.run(sequence);
    all.forEach(([name, given, time = null], position) => {
      const [value, truth] = typeof given === "boolean" ? [null, 1] : [given, null];
      insertRecord.run({ sequence, position, name, value, truth, time });
    });
  };
  records(["load", 1.5], ["uptime", 40]);
  records(["load", 1, 1_800_000_000], ["uptime", 41, 1_800_000_000]);
  records(["uptime", 1.5]);
  records(["uptime", -1]);
  records(["uptime", true]);
  records(["load", 2]);
  records(["uptime", 9], ["uptime", 50]);
  database.close();

  const store = openSqliteStore(path);
  const bootReport = {
    ...{ firstSession: 259, lastSession: 259, lastSequence: 99 },
    ...{ uptime: 100, time: 1_800_000_000 },
  };
  const event = { device: KID, counter: 260, receivedAt: 1, payload: "p" as Bytes, bootReport };
  expect(await store.commitEvent(event, hashOf(260))).toBe("stored");
  const dated = await store.listDated(KID, 260);
  expect(dated.map((reading) => [reading.sequence, reading.date])).toEqual([
    [1, 1_799_999_940],
    [7, 1_799_999_909],
  ]);
  await store.close();
});

it("refuses a database with a row that belongs nowhere, and leaves it as it was", () => {
  const path = join(temporary(), "cloud.db");
  const database = openFirstVersion(path);
  database.pragma("foreign_keys = OFF");
  database.exec("UPDATE reading SET session = 7");
  expect(() => openSqliteStore(path)).toThrow(/stray/);
  expect(database.pragma("user_version", { simple: true })).toBe(1);
  expect(database.prepare("SELECT count(*) FROM session").pluck().get()).toBe(2);
  database.close();
});
