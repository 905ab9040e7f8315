import Database from "better-sqlite3";
import { createAuditLog } from "../../cloud/audit/log.ts";
import { fromBuffer, toBuffer } from "../../cloud/crypto/convert.ts";
import { withoutJournal } from "../../cloud/journal/journal.ts";
import { MIGRATIONS } from "../../cloud/store/migrations.ts";
import { nameDatabase } from "../../cloud/store/sqlite.ts";
import { deviceTable } from "../../cloud/store/sqlite-device.ts";
import { sessionTable } from "../../cloud/store/sqlite-session.ts";
import { signedTable } from "../../cloud/store/sqlite-signed.ts";
import type { Device, Store } from "../../cloud/store/store.ts";
import type { Bytes } from "../../protocol/bytes.ts";

/** A busy database is asked for this long. */
const BUSY_MS = 2000;
/** Devices that are tried for a message that does not name its own. */
const MAX_TRIED = 1000;

/** What the cloud's database knows. It is only read: a message that is looked at changes nothing. */
export interface KnownMessages extends Pick<Store, "findDevice" | "findSession"> {
  /** Devices with a session of this counter, as many as are worth a try. */
  devicesWithSession(counter: number): Promise<Device[]>;
  /** Hash of the signed message that has this counter; undefined when none has. */
  hashOfCounter(device: Bytes, counter: number): Bytes | undefined;
  /** Unix seconds at which a reading was stored; undefined when it was not. */
  readingStoredAt(device: Bytes, session: number, sequence: number): number | undefined;
  /** The highest sequence number stored of a session; 0 when none is. */
  lastSequence(device: Bytes, session: number): number;
  close(): void;
}

function checkVersion(database: Database.Database): void {
  const version = database.pragma("user_version", { simple: true });
  if (version !== MIGRATIONS.length)
    throw new Error(
      `database, expected version ${MIGRATIONS.length}, got ${version}: "coseflow serve" or "coseflow device list" brings an older one up to date`,
    );
}

function lookups(database: Database.Database): KnownMessages {
  // The tables write to both, but nothing here makes them write.
  const audit = createAuditLog(database, () => 0);
  const journal = withoutJournal(database);
  const { findDevice } = deviceTable(database, audit, journal);
  const { findSession } = sessionTable(database, signedTable(database, audit), audit, journal);
  const owners = database
    .prepare<[number, number], Buffer>("SELECT device FROM session WHERE counter = ? LIMIT ?")
    .pluck();
  const hash = database
    .prepare<[Buffer, number], Buffer>(
      "SELECT hash FROM signed_message WHERE device = ? AND counter = ?",
    )
    .pluck();
  const stored = database
    .prepare<[Buffer, number, number], number>(
      "SELECT received_at FROM reading WHERE device = ? AND session = ? AND sequence = ?",
    )
    .pluck();
  const last = database
    .prepare<[Buffer, number], number | null>(
      "SELECT max(sequence) FROM reading WHERE device = ? AND session = ?",
    )
    .pluck();

  return {
    findDevice,
    findSession,
    async devicesWithSession(counter) {
      const kids = owners.all(counter, MAX_TRIED).map(fromBuffer);
      const devices = await Promise.all(kids.map((kid) => findDevice(kid)));
      return devices.filter((device) => device !== undefined);
    },
    hashOfCounter(device, counter) {
      const found = hash.get(toBuffer(device, "key id"), counter);
      return found && fromBuffer(found);
    },
    readingStoredAt: (device, session, sequence) =>
      stored.get(toBuffer(device, "key id"), session, sequence),
    lastSequence: (device, session) => last.get(toBuffer(device, "key id"), session) ?? 0,
    close: () => database.close(),
  };
}

/** Opens the database of a cloud, which may be running; throws when it is not one of this version. */
export function openKnownMessages(path: string): KnownMessages {
  let database: Database.Database | undefined;
  try {
    database = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_MS });
    checkVersion(database);
    return lookups(database);
  } catch (error) {
    database?.close();
    throw nameDatabase(error, path);
  }
}
