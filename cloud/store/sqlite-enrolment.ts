import { createHash } from "node:crypto";
import type { Database } from "better-sqlite3";
import { type Bytes, equalBytes, toHex } from "../../protocol/bytes.ts";
import { kidOf } from "../../protocol/kid.ts";
import type { AuditLog } from "../audit/log.ts";
import { fromBuffer, toBuffer } from "../crypto/convert.ts";
import type { Journal, Keep } from "../journal/journal.ts";
import type { Enrolment, EnrolmentStore, EnrolRefusal, EnrolRequest } from "./enrolment.ts";
import { type ClaimTable, claimTable } from "./sqlite-claim.ts";
import { type DeviceRow, toDevice } from "./sqlite-device.ts";
import type { SignedTable } from "./sqlite-signed.ts";
import type { KnownDevice, SignedCommit } from "./store.ts";

/** Reasons that somebody can do something about, of devices whose key is proven. */
const LET_IN_BY_PEOPLE =
  "'device-unknown', 'claim-unknown', 'claim-expired', 'claim-used', 'user-id', 'device-id'";

function keyRefusal(
  request: EnrolRequest,
  known: KnownDevice | undefined,
): EnrolRefusal | undefined {
  if (!known) return request.claim === undefined ? "device-unknown" : undefined;
  if (!equalBytes(known.publicKey, request.publicKey)) return "kid";
  if (known.state === "deleting" || known.state === "deleted") return "device-deleted";
  if (known.state === "rolling" || known.state === "rolled") return "device-rolled";
  return known.state === "revoked" ? "device-revoked" : undefined;
}

function claimRefusal(
  { userId, deviceId }: EnrolRequest,
  kid: Bytes,
  claim: ReturnType<ClaimTable["find"]>,
  now: number,
): EnrolRefusal | undefined {
  if (!claim) return "claim-unknown";
  if (claim.usedBy !== undefined && claim.usedBy !== kid) return "claim-used";
  // Judged when it was first used: the same key may repeat what a crash took back.
  if (claim.usedBy === undefined && claim.expiresAt <= now) return "claim-expired";
  if (claim.userId !== userId) return "user-id";
  return claim.deviceId === undefined || claim.deviceId === deviceId ? undefined : "device-id";
}

/** Who may judge one: the rows it asks for, all within one transaction. */
function createEnrolmentJudge(database: Database, claims: ClaimTable) {
  const find = database.prepare<[Buffer], DeviceRow>("SELECT * FROM device WHERE kid = ?");
  const bearers = database.prepare<[string, Buffer], { is_open: number }>(
    `SELECT state NOT IN ('rolled', 'deleted', 'revoked') AS is_open FROM device
     WHERE device_id = ? AND kid <> ?`,
  );
  const requestedUser = database
    .prepare<[Buffer], string | null>(
      `SELECT user_id FROM command WHERE device = ? AND action = 'request'
       ORDER BY counter DESC LIMIT 1`,
    )
    .pluck();

  /** A registered key without a claim: whose it is was said before, or is said now. */
  function ownerRefusal(
    request: EnrolRequest,
    kid: Buffer,
    known: KnownDevice,
  ): EnrolRefusal | undefined {
    const { deviceId = request.deviceId, userId = request.userId } = known;
    if (deviceId !== request.deviceId) return "device-id";
    if (userId === request.userId || requestedUser.get(kid) === request.userId) return undefined;
    return "user-id";
  }

  /** A claim that names no device id makes a new one; only one that names it takes over an old one. */
  function deviceIdRefusal(
    { deviceId }: EnrolRequest,
    kid: Buffer,
    isNamed: boolean,
  ): EnrolRefusal | undefined {
    const others = bearers.all(deviceId, kid);
    return others.some(({ is_open }) => !isNamed || is_open === 1) ? "device-id" : undefined;
  }

  return function judge(request: EnrolRequest, now: number): EnrolRefusal | undefined {
    const kid = kidOf(request.thumbprint);
    const key = toBuffer(kid, "key id");
    const row = find.get(key);
    const known = row && toDevice(row);
    const refusal = keyRefusal(request, known);
    if (refusal) return refusal;
    if (request.claim === undefined)
      return (
        ownerRefusal(request, key, known as KnownDevice) ??
        deviceIdRefusal(request, key, known?.deviceId !== undefined)
      );
    const claim = claims.find(request.claim);
    return (
      claimRefusal(request, kid, claim, now) ??
      deviceIdRefusal(request, key, claim?.deviceId !== undefined)
    );
  };
}

export function enrolmentTables(
  database: Database,
  signed: SignedTable,
  audit: AuditLog,
  journal: Journal,
): EnrolmentStore {
  const claims = claimTable(database, audit);
  const judge = createEnrolmentJudge(database, claims);
  const bind = database.prepare(
    `INSERT INTO device (kid, public_key, thumbprint, registered_at, state, device_id, user_id, certificate)
     VALUES (?, ?, ?, ?, 'enrolled', ?, ?, ?)
     ON CONFLICT (kid) DO UPDATE SET state = 'enrolled', device_id = excluded.device_id,
       user_id = excluded.user_id, certificate = excluded.certificate`,
  );
  const insertReply = database.prepare(
    "INSERT INTO enrolment (device, counter, reply, enrolled_at) VALUES (?, ?, ?, ?)",
  );
  const findReply = database.prepare<[Buffer, Buffer], { reply: Buffer; addressee: Buffer | null }>(
    `SELECT reply, addressee FROM enrolment JOIN signed_message USING (device, counter)
       WHERE device = ? AND hash = ?`,
  );

  const listRefused = database.prepare<[number], { kid: Buffer; reason: string; at: number }>(
    `SELECT kid, reason, at FROM audit WHERE kind = 'refuse' AND class = 'enrol'
       AND reason IN (${LET_IN_BY_PEOPLE}) ORDER BY sequence DESC LIMIT ?`,
  );

  function bindDevice(enrolment: Enrolment, kid: Bytes): void {
    bind.run(
      toBuffer(kid, "key id"),
      toBuffer(enrolment.publicKey, "public key"),
      toBuffer(enrolment.thumbprint, "thumbprint"),
      ...[enrolment.enrolledAt, enrolment.deviceId, enrolment.userId],
      toBuffer(enrolment.certificate, "certificate"),
    );
  }

  function spend(keep: Keep, { claim, enrolledAt }: Enrolment, kid: Bytes): void {
    if (claim === undefined || claims.find(claim)?.usedBy === kid) return;
    claims.spend(claim, kid, enrolledAt);
    keep({ kind: "claim", hash: claim, kid, at: enrolledAt });
    audit.append({ kind: "act", class: "claim-used", kid, details: { claim: toHex(claim) } });
  }

  function auditCertificate(kid: Bytes, certificate: Buffer): void {
    const sha256 = createHash("sha256").update(certificate).digest("hex");
    audit.append({ kind: "act", class: "certificate", kid, details: { certificate: sha256 } });
  }

  function commit(
    keep: Keep,
    enrolment: Enrolment,
    hash: Bytes,
  ): SignedCommit | { refused: EnrolRefusal } {
    const kid = kidOf(enrolment.thumbprint);
    const before = signed.find(kid, enrolment.counter, hash);
    if (before) return before;
    const refused = judge(enrolment, enrolment.enrolledAt);
    if (refused) return { refused };
    bindDevice(enrolment, kid);
    signed.claim(kid, enrolment.counter, hash, "enrol");
    spend(keep, enrolment, kid);
    auditCertificate(kid, toBuffer(enrolment.certificate, "certificate"));
    const reply = toBuffer(enrolment.reply, "reply");
    insertReply.run(toBuffer(kid, "key id"), enrolment.counter, reply, enrolment.enrolledAt);
    return "stored";
  }

  const commitAll = journal.protect(commit);
  const judgeAll = database.transaction(judge);

  return {
    makeClaim: claims.makeClaim,
    listClaims: claims.listClaims,
    async judgeEnrolment(request, now) {
      return judgeAll(request, now);
    },
    async commitEnrolment(enrolment, hash) {
      return commitAll(enrolment, hash);
    },
    async findEnrolled(device, hash) {
      const row = findReply.get(toBuffer(device, "key id"), toBuffer(hash, "hash"));
      if (!row) return undefined;
      const to = row.addressee === null ? device : fromBuffer(row.addressee);
      return { to, message: fromBuffer(row.reply) };
    },
    async listRefusedEnrolments(limit) {
      const rows = listRefused.all(limit);
      return rows.map(({ kid, reason, at }) => {
        return { device: fromBuffer(kid), reason, at: Math.floor(at / 1000) };
      });
    },
  };
}
