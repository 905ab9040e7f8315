import { createDecipheriv } from "node:crypto";
import type { Database } from "better-sqlite3";
import type { CloudContent, StoredReading, StoredSession } from "../history.ts";

const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

interface SessionRow {
  counter: number;
  sealed_key: Buffer;
  base_iv: Buffer;
  hash: Buffer;
}

interface RecordRow {
  session: number;
  sequence: number;
  name: string;
  value: number | null;
  truth: number | null;
}

/** The shortest big-endian bytes of a counter. */
function shortest(counter: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(counter);
  return bytes.subarray(bytes.findIndex((byte) => byte !== 0));
}

/** SPEC.md, "The cloud's database": AES-256-GCM, the place as additional data. */
function openSealed(sealed: Buffer, kek: Buffer, place: Buffer): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", kek, sealed.subarray(0, NONCE_LENGTH));
  decipher.setAAD(place);
  decipher.setAuthTag(sealed.subarray(-TAG_LENGTH));
  return Buffer.concat([
    decipher.update(sealed.subarray(NONCE_LENGTH, -TAG_LENGTH)),
    decipher.final(),
  ]);
}

/** What the cloud's database holds of a device, its session keys in clear. */
export function readCloud(database: Database, kek: Buffer, thumbprint: Buffer): CloudContent {
  const kid = thumbprint.subarray(0, 8);
  const sessions = database
    .prepare<
      [Buffer],
      SessionRow
    >(`SELECT counter, sealed_key, base_iv, hash FROM session JOIN signed_message USING (device, counter)
       WHERE device = ? ORDER BY counter`)
    .all(kid)
    .map((row): StoredSession => {
      const place = Buffer.concat([thumbprint, shortest(row.counter)]);
      const key = openSealed(row.sealed_key, kek, place);
      return { counter: row.counter, key, baseIv: row.base_iv, hash: row.hash };
    });
  const readings = new Map<string, StoredReading>();
  const records = database.prepare<[Buffer], RecordRow>(
    `SELECT session, sequence, name, value, truth FROM reading LEFT JOIN record
     USING (device, session, sequence) WHERE device = ? ORDER BY session, sequence, position`,
  );
  for (const { session, sequence, name, value, truth } of records.all(kid)) {
    const key = `${session}/${sequence}`;
    const reading = readings.get(key) ?? { session, sequence, values: {} };
    readings.set(key, reading);
    reading.values[name] = value ?? truth === 1;
  }
  const refused: Record<string, number> = {};
  const refusals = database.prepare<[], { reason: string; count: number }>(
    "SELECT reason, count FROM refusal",
  );
  for (const { reason, count } of refusals.all()) refused[reason] = count;
  return { sessions, readings: [...readings.values()], refused };
}
