/** Which readings a boot report dates, and which it must not. */
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSqliteStore } from "../../../cloud/store/sqlite.ts";
import { MAX_DATED_RECORDS } from "../../../cloud/store/sqlite-dating.ts";
import type { BootReport, Store, StoredRecord } from "../../../cloud/store/store.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { temporaryDirectories } from "../support/temporary.ts";

const temporary = temporaryDirectories();
const NOW = 1_800_000_000;
const KID = "kkkkkkkk" as Bytes;
const OTHER = "oooooooo" as Bytes;

let store: Store;
let path: string;

beforeEach(async () => {
  path = `${temporary()}/cloud.db`;
  store = openSqliteStore(path);
  for (const kid of [KID, OTHER]) {
    const publicKey = kid.repeat(9).substring(0, 65) as Bytes;
    const thumbprint = kid.repeat(4) as Bytes;
    await store.registerDevice({ kid, publicKey, thumbprint, name: undefined }, NOW);
    // Sessions 10 to 16, with gaps where events took a counter.
    for (const counter of [10, 11, 13, 14, 16])
      await store.commitSession(
        {
          ...{ device: kid, counter, sealedKey: "s" as Bytes, committedAt: NOW },
          baseIv: "iiiiiiiiiiii" as Bytes,
        },
        hashOf(counter),
      );
  }
});
afterEach(() => store.close());

const hashOf = (counter: number) => String(counter).padStart(32, "0") as Bytes;

function read(session: number, sequence: number, uptime: number | undefined, device = KID) {
  const records: StoredRecord[] = [
    {
      name: "load",
      unit: undefined,
      value: sequence,
      time: uptime === undefined ? NOW : undefined,
    },
    { name: "door", unit: "x", value: true, time: uptime === undefined ? NOW : undefined },
  ];
  return store.commitReading({ device, session, sequence, receivedAt: NOW + 7, uptime, records });
}

/** The second boot of this device: sessions 11 and 13, 200 s after its start. */
const REPORT: BootReport = {
  ...{ firstSession: 11, lastSession: 13, lastSequence: 5 },
  ...{ uptime: 200, time: NOW + 200 },
};

function report(counter: number, change: Partial<BootReport> = {}) {
  const event = { device: KID, counter, receivedAt: NOW, payload: "p" as Bytes };
  return store.commitEvent({ ...event, bootReport: { ...REPORT, ...change } }, hashOf(-counter));
}

describe("a boot report", () => {
  it("dates the readings of all sessions of its boot, whichever comes first", async () => {
    await read(11, 1, 3);
    await read(13, 5, 180);
    expect(await store.findDate(KID, 11, 1)).toBeUndefined();
    await report(15);
    await read(11, 2, 4);
    expect(await store.findDate(KID, 11, 1)).toBe(NOW + 3);
    expect(await store.findDate(KID, 11, 2)).toBe(NOW + 4);
    expect(await store.findDate(KID, 13, 5)).toBe(NOW + 180);
    const records = (value: number) => [
      { name: "load", unit: undefined, value, time: undefined },
      { name: "door", unit: "x", value: true, time: undefined },
    ];
    expect(await store.listDated(KID, 15)).toEqual([
      { session: 11, sequence: 1, records: records(1), date: NOW + 3 },
      { session: 11, sequence: 2, records: records(2), date: NOW + 4 },
      { session: 13, sequence: 5, records: records(5), date: NOW + 180 },
    ]);
  });

  it("leaves alone what is of an earlier boot, of a later one, or of another device", async () => {
    await read(10, 1, 3);
    await read(14, 1, 3);
    // Sealed after the report, when the device of that boot knew the time.
    await read(13, 6, 3);
    await read(11, 1, 3, OTHER);
    // Later than the report: a contradiction.
    await read(11, 1, 201);
    await read(11, 2, undefined);
    await report(15);
    expect(await store.listDated(KID, 15)).toEqual([]);
    for (const [session, sequence] of [
      [10, 1],
      [14, 1],
      [13, 6],
      [11, 1],
      [11, 2],
    ] as const)
      expect(await store.findDate(KID, session, sequence), `${session}`).toBeUndefined();
    expect(await store.findDate(OTHER, 11, 1)).toBeUndefined();
    expect(await store.findDate(KID, 16, 1)).toBeUndefined();
  });

  it("keeps boots apart when each has its own, in any order of arrival", async () => {
    for (const session of [10, 11, 13, 14, 16]) await read(session, 1, 50);
    const later = { firstSession: 14, lastSession: 14, lastSequence: 9, time: NOW + 5000 };
    await report(17, { ...later, firstSession: 16, lastSession: 16 });
    await report(15);
    const dates = [];
    for (const session of [10, 11, 13, 14, 16]) dates.push(await store.findDate(KID, session, 1));
    // Boots 10 and 14 never had a receipt: theirs can never be dated.
    expect(dates).toEqual([undefined, NOW + 50, NOW + 50, undefined, NOW + 4850]);
  });

  it("gives way to a nearer one where two cover a reading", async () => {
    await read(11, 1, 50);
    await read(11, 9, 250);
    await report(12, { lastSession: 11, lastSequence: 2 });
    await report(15, { lastSession: 11, lastSequence: 9, uptime: 300, time: NOW + 310 });
    expect(await store.findDate(KID, 11, 1)).toBe(NOW + 50);
    expect(await store.findDate(KID, 11, 9)).toBe(NOW + 260);
    expect((await store.listDated(KID, 15)).map(({ sequence }) => sequence)).toEqual([9]);
  });

  it("that comes again changes nothing, and under a spent counter is not taken", async () => {
    await read(11, 1, 50);
    expect(await report(15)).toBe("stored");
    expect(await report(15, { time: NOW + 999 })).toBe("repeat");
    expect(await report(13, { time: NOW + 999 })).toBe("conflict");
    expect(await store.findDate(KID, 11, 1)).toBe(NOW + 50);
  });

  it("lists no more than is good for the memory, and dates the rest all the same", async () => {
    const database = new Database(path);
    database.exec(`
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= ${MAX_DATED_RECORDS})
      INSERT INTO reading SELECT CAST('${KID}' AS BLOB), 11, i, ${NOW}, 1 FROM n;
      INSERT INTO record SELECT device, session, sequence, 0, 'load', NULL, 1, NULL, NULL FROM reading;
    `);
    database.close();
    await report(15);
    expect(await store.listDated(KID, 15)).toHaveLength(MAX_DATED_RECORDS);
    expect(await store.findDate(KID, 11, MAX_DATED_RECORDS + 1)).toBe(NOW + 1);
  });
});

it("shows each record with its time and where that comes from", async () => {
  await read(10, 1, 3);
  await read(11, 1, 3);
  await read(14, 1, undefined);
  await report(15);
  const database = new Database(path, { readonly: true });
  const rows = database
    .prepare(
      "SELECT session, name, value, truth, time, time_from FROM measurement ORDER BY session, position",
    )
    .raw()
    .all();
  database.close();
  expect(rows).toEqual([
    [10, "load", 1, null, NOW + 7, "arrival"],
    [10, "door", null, 1, NOW + 7, "arrival"],
    [11, "load", 1, null, NOW + 3, "boot-report"],
    [11, "door", null, 1, NOW + 3, "boot-report"],
    [14, "load", 1, null, NOW, "device"],
    [14, "door", null, 1, NOW, "device"],
  ]);
});
