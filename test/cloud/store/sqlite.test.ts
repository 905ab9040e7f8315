import { statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { makeDurable, openSqliteStore } from "../../../cloud/store/sqlite.ts";
import type { Device, DeviceEvent, Reading, Session, Store } from "../../../cloud/store/store.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { temporaryDirectories } from "../support/temporary.ts";

const temporary = temporaryDirectories();
const NOW = 1_800_000_000;

function bytesOf(text: string, length: number): Bytes {
  return text.repeat(length).substring(0, length) as Bytes;
}

const DEVICE: Device = {
  kid: bytesOf("k", 8),
  publicKey: bytesOf("\x04\xff", 65),
  thumbprint: bytesOf("k", 32),
  name: undefined,
};

const hashOf = (text: string) => bytesOf(text, 32);

function session(counter: number): Session {
  return {
    device: DEVICE.kid,
    counter,
    sealedKey: bytesOf("\x00\xfe", 44),
    baseIv: bytesOf("i", 12),
    committedAt: NOW,
  };
}

function event(counter: number): DeviceEvent {
  const payload = bytesOf("\x00\xfe", 9);
  return { device: DEVICE.kid, counter, receivedAt: NOW, payload, bootReport: undefined };
}

function reading(sequence: number, change: Partial<Reading> = {}): Reading {
  const records = [
    { name: "temperature", unit: "Cel", value: 21.5, time: undefined },
    { name: "t\u00fcr", unit: undefined, value: true, time: NOW },
  ];
  const reading = { device: DEVICE.kid, session: 1, sequence, receivedAt: NOW, records };
  return { ...reading, uptime: undefined, ...change };
}

async function withStore(run: (store: Store, path: string) => Promise<void>): Promise<void> {
  const path = join(temporary(), "deep", "cloud.db");
  const store = openSqliteStore(path);
  try {
    await run(store, path);
  } finally {
    await store.close();
  }
}

/** Rows as another process sees them. */
function rows(path: string, sql: string): unknown[] {
  const database = new Database(path, { readonly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

describe("devices", () => {
  it("registers a key twice as one device and keeps its name until another is given", () =>
    withStore(async (store) => {
      await store.registerDevice({ ...DEVICE, name: "shed" }, NOW);
      await store.registerDevice(DEVICE, NOW + 1);
      expect(await store.findDevice(DEVICE.kid)).toMatchObject({
        ...{ ...DEVICE, name: "shed", state: "registered" },
      });
      await store.registerDevice({ ...DEVICE, name: "barn" }, NOW + 2);
      const [only, ...others] = await store.listDevices();
      expect(others).toEqual([]);
      expect(only).toMatchObject({ device: { name: "barn" }, registeredAt: NOW });
    }));

  it("refuses another key under a registered key id", () =>
    withStore(async (store) => {
      await store.registerDevice(DEVICE, NOW);
      const other = { ...DEVICE, publicKey: bytesOf("\x04\x01", 65) };
      await expect(store.registerDevice(other, NOW)).rejects.toMatchObject({ code: "kid" });
      expect(await store.findDevice(DEVICE.kid)).toMatchObject(DEVICE);
    }));

  it("knows no device that was not registered", () =>
    withStore(async (store) => {
      expect(await store.findDevice(DEVICE.kid)).toBeUndefined();
    }));
});

describe("sessions", () => {
  it("stores once, repeats by hash, and reports another message with the same counter", () =>
    withStore(async (store) => {
      await store.registerDevice(DEVICE, NOW);
      expect(await store.commitSession(session(7), hashOf("7"))).toBe("stored");
      expect(await store.commitSession(session(7), hashOf("7"))).toBe("repeat");
      expect(await store.commitSession(session(7), hashOf("other"))).toBe("conflict");
      expect(await store.findSession(DEVICE.kid, 7)).toEqual(session(7));
      expect(await store.hasSigned(DEVICE.kid, hashOf("7"))).toBe(true);
      expect(await store.hasSigned(DEVICE.kid, hashOf("other"))).toBe(false);
    }));

  it("keeps a counter of four bytes exactly", () =>
    withStore(async (store) => {
      await store.registerDevice(DEVICE, NOW);
      await store.commitSession(session(2 ** 32 - 1), hashOf("2**32-1"));
      expect((await store.findSession(DEVICE.kid, 2 ** 32 - 1))?.counter).toBe(2 ** 32 - 1);
    }));

  it("rejects a session of no device", () =>
    withStore(async (store) => {
      await expect(store.commitSession(session(1), hashOf("1"))).rejects.toThrow();
    }));

  it("takes receipts under the highest counter until they are spent", () =>
    withStore(async (store) => {
      await store.registerDevice(DEVICE, NOW);
      expect(await store.takeReceipt(DEVICE.kid, 2)).toBeUndefined();
      await store.commitSession(session(9), hashOf("9"));
      await store.commitSession(session(3), hashOf("3"));
      expect((await store.takeReceipt(DEVICE.kid, 2))?.counter).toBe(9);
      expect((await store.takeReceipt(DEVICE.kid, 2))?.counter).toBe(9);
      expect(await store.takeReceipt(DEVICE.kid, 2)).toBeUndefined();
      await store.commitSession(session(10), hashOf("10"));
      expect((await store.takeReceipt(DEVICE.kid, 2))?.counter).toBe(10);
    }));
});

describe("events", () => {
  it("stores once, repeats by hash, and reports another message with the same counter", () =>
    withStore(async (store, path) => {
      await store.registerDevice(DEVICE, NOW);
      expect(await store.commitEvent(event(2 ** 32 - 1), hashOf("e"))).toBe("stored");
      expect(await store.commitEvent(event(2 ** 32 - 1), hashOf("e"))).toBe("repeat");
      expect(await store.commitEvent(event(2 ** 32 - 1), hashOf("other"))).toBe("conflict");
      expect(await store.hasSigned(DEVICE.kid, hashOf("e"))).toBe(true);
      expect(rows(path, "SELECT counter, received_at, hex(payload) AS payload FROM event")).toEqual(
        [{ counter: 2 ** 32 - 1, received_at: NOW, payload: "00FE00FE00FE00FE00" }],
      );
      expect(await store.counts()).toMatchObject({ events: 1, sessions: 0 });
    }));

  it("share the counter of their device with its sessions, both ways", () =>
    withStore(async (store) => {
      await store.registerDevice(DEVICE, NOW);
      await store.commitSession(session(1), hashOf("1"));
      await store.commitEvent(event(2), hashOf("2"));
      expect(await store.commitEvent(event(1), hashOf("other"))).toBe("conflict");
      expect(await store.commitSession(session(2), hashOf("other"))).toBe("conflict");
      expect(await store.counts()).toMatchObject({ events: 1, sessions: 1 });
      expect((await store.takeReceipt(DEVICE.kid, 2))?.counter).toBe(1);
    }));

  it("rejects an event of no device, and one that cannot be stored whole", () =>
    withStore(async (store, path) => {
      await expect(store.commitEvent(event(1), hashOf("e"))).rejects.toThrow();
      await store.registerDevice(DEVICE, NOW);
      const bad = { ...event(1), receivedAt: null as unknown as number };
      await expect(store.commitEvent(bad, hashOf("e"))).rejects.toThrow();
      expect(rows(path, "SELECT * FROM signed_message")).toEqual([]);
    }));
});

describe("readings", () => {
  it("stores a sequence number once, with its records", () =>
    withStore(async (store, path) => {
      await store.registerDevice(DEVICE, NOW);
      await store.commitSession(session(1), hashOf("1"));
      expect(await store.commitReading(reading(5))).toBe(true);
      expect(await store.commitReading(reading(5, { records: [] }))).toBe(false);
      expect(await store.commitReading(reading(2 ** 40 - 1))).toBe(true);
      expect(
        rows(path, "SELECT sequence, name, unit, value, truth, time FROM record LIMIT 2"),
      ).toEqual([
        { sequence: 5, name: "temperature", unit: "Cel", value: 21.5, truth: null, time: null },
        { sequence: 5, name: "t\u00fcr", unit: null, value: null, truth: 1, time: NOW },
      ]);
      expect(rows(path, "SELECT max(sequence) AS last FROM reading")).toEqual([
        { last: 2 ** 40 - 1 },
      ]);
    }));

  it("stores nothing of a reading one of whose records cannot be stored", () =>
    withStore(async (store, path) => {
      await store.registerDevice(DEVICE, NOW);
      await store.commitSession(session(1), hashOf("1"));
      const good = reading(5).records;
      const bad = { name: null as unknown as string, unit: undefined, value: 1, time: undefined };
      await expect(store.commitReading(reading(5, { records: [...good, bad] }))).rejects.toThrow();
      expect(rows(path, "SELECT * FROM reading")).toEqual([]);
      expect(rows(path, "SELECT * FROM record")).toEqual([]);
    }));

  it("rejects a reading of no session", () =>
    withStore(async (store) => {
      await store.registerDevice(DEVICE, NOW);
      await expect(store.commitReading(reading(1))).rejects.toThrow();
    }));
});

describe("the file", () => {
  it("is its owner's alone and holds everything after a reopening", async () => {
    const path = join(temporary(), "deep", "cloud.db");
    const first = openSqliteStore(path);
    await first.registerDevice(DEVICE, NOW);
    await first.commitSession(session(1), hashOf("1"));
    await first.commitReading(reading(1));
    await first.countRefusal("signature", "session", DEVICE.kid, NOW);
    await first.countRefusal("signature", undefined, undefined, NOW);
    expect(statSync(join(path, "..")).mode & 0o777).toBe(0o700);
    for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600);
    await first.close();
    const second = openSqliteStore(path);
    expect(await second.counts()).toEqual({
      devices: 1,
      sessions: 1,
      events: 0,
      readings: 1,
      records: 2,
      refused: { signature: 2 },
    });
    await second.close();
  });

  it("is refused when a newer version made it", async () => {
    const path = join(temporary(), "cloud.db");
    await openSqliteStore(path).close();
    const database = new Database(path);
    database.pragma("user_version = 99");
    database.close();
    expect(() => openSqliteStore(path)).toThrow(/version/);
  });
});

it("syncs every transaction to the disk", () => {
  const database = new Database(join(temporary(), "durable.db"));
  makeDurable(database);
  expect(database.pragma("journal_mode", { simple: true })).toBe("wal");
  // 2 is FULL: what is acknowledged survives a power cut, not only a crash.
  expect(database.pragma("synchronous", { simple: true })).toBe(2);
  database.close();
});
