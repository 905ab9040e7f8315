/** Keys that take the place of others, each within the caller's transaction. */
import { createHash } from "node:crypto";
import type { Database } from "better-sqlite3";
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import { kidOf } from "../../protocol/kid.ts";
import type { AuditLog } from "../audit/log.ts";
import { toBuffer } from "../crypto/convert.ts";
import type { Keep } from "../journal/journal.ts";
import type { Command, DeviceReply, ReplyRefusal, RolledKey } from "./commands.ts";
import { type DeviceRow, toDevice } from "./sqlite-device.ts";

interface KeyRow extends DeviceRow {
  predecessor: Buffer | null;
}

export function rollTable(database: Database, audit: AuditLog) {
  const find = database.prepare<[Buffer], KeyRow>("SELECT * FROM device WHERE kid = ?");
  const insert = database.prepare(
    `INSERT INTO device (kid, public_key, thumbprint, registered_at, state, certificate, predecessor)
     VALUES (?, ?, ?, ?, 'rolling', ?, ?)
     ON CONFLICT (kid) DO UPDATE SET certificate = excluded.certificate`,
  );
  const keepEnrolled = database.prepare(
    "INSERT INTO enrolment (device, counter, reply, enrolled_at, addressee) VALUES (?, ?, ?, ?, ?)",
  );
  const others = database.prepare<[Buffer, Buffer], KeyRow>(
    "SELECT * FROM device WHERE predecessor = ? AND kid <> ? AND state = 'rolling'",
  );
  const revoke = database.prepare(
    "UPDATE device SET state = 'revoked', certificate = NULL WHERE kid = ?",
  );
  const close = database.prepare(
    `UPDATE device SET state = 'rolled', rolled_at = ?, certificate = NULL, name = NULL,
       device_id = NULL, user_id = NULL WHERE kid = ?`,
  );
  const open = database.prepare(
    "UPDATE device SET state = 'enrolled', name = ?, device_id = ?, user_id = ? WHERE kid = ?",
  );

  // The device goes on from the last command that it has seen.
  const takeCounter = database
    .prepare<[Buffer, Buffer], number>(
      `INSERT INTO command_counter (device, last)
         SELECT ?, last FROM command_counter WHERE device = ?
       ON CONFLICT (device) DO UPDATE SET last = max(last, excluded.last) RETURNING last`,
    )
    .pluck();

  function remember(keep: Keep, row: KeyRow, state: "rolled" | "revoked", at: number): void {
    const { publicKey, thumbprint } = toDevice(row);
    keep({ kind: "device", publicKey, thumbprint, state, at });
  }

  /** The other's place in the registry goes over; what else was to replace it never will. */
  function replace(keep: Keep, before: KeyRow, row: KeyRow, at: number): void {
    close.run(at, before.kid);
    remember(keep, before, "rolled", at);
    open.run(before.name, before.device_id, before.user_id, row.kid);
    const counter = takeCounter.get(row.kid, before.kid);
    if (counter !== undefined) keep({ kind: "command", kid: toDevice(row).kid, counter });
    for (const other of others.all(before.kid, row.kid)) {
      revoke.run(other.kid);
      remember(keep, other, "revoked", at);
    }
    const details = { predecessor: before.kid.toString("hex") };
    audit.append({ kind: "act", class: "rolled", kid: toDevice(row).kid, details });
  }

  return {
    /** Only the first reply to an update introduces a key, and only one that is nobody else's. */
    refusalOf(
      { publicKey, thumbprint }: RolledKey,
      device: Bytes,
      { action, state }: Command,
    ): ReplyRefusal | undefined {
      if (action !== "update" || state === "replied") return "command-other";
      const row = find.get(toBuffer(kidOf(thumbprint), "key id"));
      if (!row) return undefined;
      const isOwn = row.predecessor?.equals(toBuffer(device, "key id"));
      const isSame = toDevice(row).publicKey === publicKey && row.state === "rolling";
      return isOwn && isSame ? undefined : "key-known";
    },

    introduce(key: RolledKey, { device, counter, at }: DeviceReply): void {
      const kid = kidOf(key.thumbprint);
      const certificate = toBuffer(key.certificate, "certificate");
      const predecessor = toBuffer(device, "key id");
      const to = toBuffer(kid, "key id");
      insert.run(
        to,
        toBuffer(key.publicKey, "public key"),
        toBuffer(key.thumbprint, "thumbprint"),
        ...[at, certificate, predecessor],
      );
      keepEnrolled.run(predecessor, counter, toBuffer(key.enrolled, "enrolled"), at, to);
      const sha256 = createHash("sha256").update(certificate).digest("hex");
      const details = { certificate: sha256, predecessor: toHex(device) };
      audit.append({ kind: "act", class: "certificate", kid, details });
    },

    /**
     * At a key's session: makes it the device's where it replaces another. False when that
     * other was closed meanwhile: then this one is nobody's.
     */
    takeOver(keep: Keep, kid: Bytes, at: number): boolean {
      const row = find.get(toBuffer(kid, "key id"));
      if (row?.state !== "rolling") return true;
      const before = row.predecessor === null ? undefined : find.get(row.predecessor);
      if (before?.state !== "registered" && before?.state !== "enrolled") return false;
      replace(keep, before, row, at);
      return true;
    },
  };
}
