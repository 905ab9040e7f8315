import type { Database } from "better-sqlite3";
import { type Bytes, equalBytes } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";
import type { AuditLog } from "../audit/log.ts";
import { fromBuffer, toBuffer } from "../crypto/convert.ts";
import type { Journal, Keep } from "../journal/journal.ts";
import type { Device, DeviceState, DeviceSummary, KnownDevice, Owner, Store } from "./store.ts";

export interface DeviceRow {
  kid: Buffer;
  public_key: Buffer;
  thumbprint: Buffer;
  name: string | null;
  state: DeviceState;
  device_id: string | null;
  user_id: string | null;
  certificate: Buffer | null;
  rolled_at: number | null;
}

/** A key in one of these is not registered again. */
const CLOSED: DeviceState[] = ["rolling", "rolled", "deleted", "revoked"];

interface SummaryRow extends DeviceRow {
  registered_at: number;
  sessions: number;
  readings: number;
}

export function toDevice(row: DeviceRow): KnownDevice {
  return {
    kid: fromBuffer(row.kid),
    publicKey: fromBuffer(row.public_key),
    thumbprint: fromBuffer(row.thumbprint),
    name: row.name ?? undefined,
    state: row.state,
    deviceId: row.device_id ?? undefined,
    userId: row.user_id ?? undefined,
    certificate: row.certificate === null ? undefined : fromBuffer(row.certificate),
    rolledAt: row.rolled_at ?? undefined,
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

type DeviceTable = Pick<
  Store,
  "registerDevice" | "revokeDevice" | "findDevice" | "findDeviceById" | "listDevices"
>;

export function deviceTable(database: Database, audit: AuditLog, journal: Journal): DeviceTable {
  const find = database.prepare<[Buffer], DeviceRow>("SELECT * FROM device WHERE kid = ?");
  const findById = database.prepare<[string], DeviceRow>(
    "SELECT * FROM device WHERE device_id = ? AND state NOT IN ('rolled', 'deleted', 'revoked')",
  );
  const insert = database.prepare(
    `INSERT INTO device (kid, public_key, thumbprint, name, registered_at) VALUES (?, ?, ?, ?, ?)`,
  );
  const change = database.prepare(
    `UPDATE device SET name = coalesce(?, name), device_id = coalesce(?, device_id),
       user_id = coalesce(?, user_id) WHERE kid = ?`,
  );
  const close = database.prepare(
    "UPDATE device SET state = 'revoked', certificate = NULL WHERE kid = ?",
  );
  const list = database.prepare<[], SummaryRow>(
    `SELECT device.*,
       (SELECT count(*) FROM session WHERE session.device = kid) AS sessions,
       (SELECT count(*) FROM reading WHERE reading.device = kid) AS readings
     FROM device ORDER BY registered_at, kid`,
  );

  function known(kid: Bytes): KnownDevice | undefined {
    const row = find.get(toBuffer(kid, "key id"));
    return row && toDevice(row);
  }

  /** Throws when the key id is no other's to take. */
  function checkKid({ kid, publicKey }: Device, found: KnownDevice | undefined): void {
    const name = toBuffer(kid, "key id").toString("hex");
    if (found && !equalBytes(found.publicKey, publicKey))
      fail("kid", `key id ${name}, expected a free one, got one of another key`);
    if (found && CLOSED.includes(found.state))
      fail("kid", `key id ${name}, expected one that may be used, got one that was ${found.state}`);
  }

  function checkDeviceId(kid: Bytes, deviceId: string | undefined): void {
    const bearer = deviceId === undefined ? undefined : findById.get(deviceId);
    if (bearer && fromBuffer(bearer.kid) !== kid)
      fail("argument", "device id, expected a free one, got one that another device bears");
  }

  function register(device: Device, now: number, owner: Owner): void {
    const { kid, name } = device;
    const found = known(kid);
    checkKid(device, found);
    checkDeviceId(kid, owner.deviceId);
    const columns = [
      toBuffer(device.publicKey, "public key"),
      toBuffer(device.thumbprint, "thumbprint"),
    ];
    if (!found) insert.run(toBuffer(kid, "key id"), ...columns, null, now);
    const before = [found?.name, found?.deviceId, found?.userId];
    const after = [name, owner.deviceId, owner.userId];
    const changes = after.some((value, at) => value !== undefined && value !== before[at]);
    if (found && !changes) return;
    change.run(...after.map((value) => value ?? null), toBuffer(kid, "key id"));
    audit.append({ kind: "act", class: found ? "change" : "register", kid });
  }

  function revoke(keep: Keep, kid: Bytes, at: number) {
    const found = known(kid);
    if (!found) return "device-unknown";
    if (found.state === "deleted") return "device-deleted";
    if (found.state === "revoked") return "repeat";
    close.run(toBuffer(kid, "key id"));
    const { publicKey, thumbprint } = found;
    keep({ kind: "device", publicKey, thumbprint, state: "revoked", at });
    audit.append({ kind: "act", class: "revoke", kid });
    return "revoked";
  }

  const registerAll = database.transaction(register);
  const revokeAll = journal.protect(revoke);

  return {
    async registerDevice(device, now, owner = { deviceId: undefined, userId: undefined }) {
      registerAll.immediate(device, now, owner);
    },
    async revokeDevice(kid, now) {
      return revokeAll(kid, now);
    },
    async findDevice(kid) {
      return known(kid);
    },
    async findDeviceById(deviceId) {
      const row = findById.get(deviceId);
      return row && toDevice(row);
    },
    async listDevices() {
      return list.all().map(toSummary);
    },
  };
}
