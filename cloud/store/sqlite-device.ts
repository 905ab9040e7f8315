import type { Database } from "better-sqlite3";
import { fail } from "../../protocol/errors.ts";
import { fromBuffer, toBuffer } from "../crypto/convert.ts";
import type { Device, DeviceSummary, Store } from "./store.ts";

interface DeviceRow {
  kid: Buffer;
  public_key: Buffer;
  thumbprint: Buffer;
  name: string | null;
}

interface SummaryRow extends DeviceRow {
  registered_at: number;
  sessions: number;
  readings: number;
}

function toDevice(row: DeviceRow): Device {
  return {
    kid: fromBuffer(row.kid),
    publicKey: fromBuffer(row.public_key),
    thumbprint: fromBuffer(row.thumbprint),
    name: row.name ?? undefined,
  };
}

function toSummary(row: SummaryRow): DeviceSummary {
  return {
    device: toDevice(row),
    registeredAt: row.registered_at,
    sessions: row.sessions,
    readings: row.readings,
  };
}

export function deviceTable(
  database: Database,
): Pick<Store, "registerDevice" | "findDevice" | "listDevices"> {
  const find = database.prepare<[Buffer], DeviceRow>(
    "SELECT kid, public_key, thumbprint, name FROM device WHERE kid = ?",
  );
  const insert = database.prepare(
    `INSERT INTO device (kid, public_key, thumbprint, name, registered_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (kid) DO UPDATE SET name = coalesce(excluded.name, name)`,
  );
  const list = database.prepare<[], SummaryRow>(
    `SELECT device.*,
       (SELECT count(*) FROM session WHERE session.device = kid) AS sessions,
       (SELECT count(*) FROM reading WHERE reading.device = kid) AS readings
     FROM device ORDER BY registered_at, kid`,
  );

  const register = database.transaction((device: Device, now: number) => {
    const kid = toBuffer(device.kid, "key id");
    const publicKey = toBuffer(device.publicKey, "public key");
    const known = find.get(kid);
    if (known && !known.public_key.equals(publicKey))
      fail("kid", `key id ${kid.toString("hex")}, expected a free one, got one of another key`);
    const thumbprint = toBuffer(device.thumbprint, "thumbprint");
    insert.run(kid, publicKey, thumbprint, device.name ?? null, now);
  });

  return {
    async registerDevice(device, now) {
      register.immediate(device, now);
    },
    async findDevice(kid) {
      const row = find.get(toBuffer(kid, "key id"));
      return row && toDevice(row);
    },
    async listDevices() {
      return list.all().map(toSummary);
    },
  };
}
