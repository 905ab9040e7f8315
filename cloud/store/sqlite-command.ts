import type { Database } from "better-sqlite3";
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import type { AuditLog } from "../audit/log.ts";
import { fromBuffer, toBuffer } from "../crypto/convert.ts";
import type { Journal, Keep } from "../journal/journal.ts";
import type {
  Command,
  CommandAction,
  CommandDraft,
  CommandForm,
  CommandState,
  CommandStore,
  DeviceReply,
  MadeCommand,
  ReplyRefusal,
  StoredReply,
} from "./commands.ts";
import { type DeviceRow, toDevice } from "./sqlite-device.ts";
import { rollTable } from "./sqlite-roll.ts";
import type { SignedTable } from "./sqlite-signed.ts";
import type { KnownDevice, SignedCommit } from "./store.ts";

/** Bytes of a command's hash that name it for certain. */
const SHORTEST_HASH = 16;

interface CommandRow {
  device: Buffer;
  counter: number;
  hash: Buffer;
  action: CommandAction;
  form: CommandForm;
  user_id: string | null;
  message: Buffer;
  issued_at: number;
  expires_at: number;
  state: CommandState;
  reply: Buffer | null;
  reply_counter: number | null;
  replied_at: number | null;
}

function toReply({ reply, reply_counter, replied_at }: CommandRow): StoredReply | undefined {
  if (reply === null || reply_counter === null || replied_at === null) return undefined;
  return { content: fromBuffer(reply), counter: reply_counter, at: replied_at };
}

function toCommand(row: CommandRow): Command {
  return {
    device: fromBuffer(row.device),
    counter: row.counter,
    hash: fromBuffer(row.hash),
    action: row.action,
    form: row.form,
    userId: row.user_id ?? undefined,
    message: fromBuffer(row.message),
    issuedAt: row.issued_at,
    expiresAt: row.expires_at,
    state: row.state,
    reply: toReply(row),
  };
}

/** Why a device gets no such command. To a device that is being deleted, a delete may be sent again. */
function refusalOf(device: KnownDevice | undefined, action: CommandAction) {
  if (!device) return "device-unknown";
  if (["revoked", "rolling", "rolled"].includes(device.state)) return "device-revoked";
  const isDeleting = device.state === "deleting" && action === "delete";
  if (device.state === "deleted" || (device.state === "deleting" && !isDeleting))
    return "device-deleted";
  return undefined;
}

/** `now` in Unix milliseconds. */
export function commandTables(
  database: Database,
  signed: SignedTable,
  audit: AuditLog,
  journal: Journal,
  now: () => number,
): CommandStore {
  const rolls = rollTable(database, audit);
  const findDevice = database.prepare<[Buffer], DeviceRow>("SELECT * FROM device WHERE kid = ?");
  const setState = database.prepare(
    "UPDATE device SET state = ?, certificate = iif(? = 'deleted', NULL, certificate) WHERE kid = ?",
  );
  const nextCounter = database
    .prepare<[Buffer, number], number>(
      `INSERT INTO command_counter (device, last) VALUES (?, ?)
       ON CONFLICT (device) DO UPDATE SET last = max(last + 1, excluded.last) RETURNING last`,
    )
    .pluck();
  const raiseCounter = database.prepare(
    `INSERT INTO command_counter (device, last) VALUES (?, ?)
     ON CONFLICT (device) DO UPDATE SET last = excluded.last WHERE excluded.last > last`,
  );
  const insert = database.prepare(
    `INSERT INTO command (device, counter, hash, action, form, user_id, message, issued_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const find = database.prepare<[Buffer, number], CommandRow>(
    "SELECT * FROM command WHERE device = ? AND counter = ?",
  );
  const findByHash = database.prepare<[Buffer, number, Buffer], CommandRow>(
    "SELECT * FROM command WHERE device = ? AND substr(hash, 1, ?) = ?",
  );
  const list = database.prepare<[Buffer], CommandRow>(
    "SELECT * FROM command WHERE device = ? ORDER BY counter",
  );
  const move = database.prepare(
    `UPDATE command SET state = @state WHERE device = @device AND counter = @counter
       AND (state = 'issued' OR (state = 'sent' AND @state <> 'sent'))`,
  );
  const expire = database.prepare(
    `UPDATE command SET state = iif(action = 'delete', 'unconfirmed', 'expired')
     WHERE state IN ('issued', 'sent') AND expires_at < ?`,
  );
  const putReply = database.prepare(
    `UPDATE command SET state = 'replied', reply = ?, reply_counter = ?, replied_at = ?
     WHERE device = ? AND counter = ? AND state <> 'replied'`,
  );

  function known(kid: Bytes): KnownDevice | undefined {
    const row = findDevice.get(toBuffer(kid, "key id"));
    return row && toDevice(row);
  }

  function byHash(device: Bytes, hash: Bytes): Command | undefined {
    if (hash.length < SHORTEST_HASH) return undefined;
    const row = findByHash.get(toBuffer(device, "key id"), hash.length, toBuffer(hash, "hash"));
    return row && toCommand(row);
  }

  function close(keep: Keep, device: KnownDevice, state: "deleting" | "deleted", at: number): void {
    setState.run(state, state, toBuffer(device.kid, "key id"));
    const { publicKey, thumbprint } = device;
    keep({ kind: "device", publicKey, thumbprint, state, at });
  }

  function issue(keep: Keep, draft: CommandDraft, make: (counter: number) => MadeCommand) {
    const { device, action, form, userId, issuedAt, expiresAt } = draft;
    const addressee = known(device);
    const refusal = refusalOf(addressee, action);
    if (refusal) return refusal;
    const kid = toBuffer(device, "key id");
    const counter = nextCounter.get(kid, now()) as number;
    const { message, hash } = make(counter);
    const name = toBuffer(hash, "hash");
    const bytes = toBuffer(message, "command");
    insert.run(kid, counter, name, action, form, userId ?? null, bytes, issuedAt, expiresAt);
    keep({ kind: "command", kid: device, counter });
    if (action === "delete") close(keep, addressee as KnownDevice, "deleting", issuedAt);
    const details = { action, form, counter, hash: toHex(hash), expiresAt };
    audit.append({ kind: "act", class: "command", kid: device, details });
    return toCommand(find.get(kid, counter) as CommandRow);
  }

  function raise(keep: Keep, kid: Bytes, counter: number): void {
    if (raiseCounter.run(toBuffer(kid, "key id"), counter).changes === 1)
      keep({ kind: "command", kid, counter });
  }

  function commitReply(keep: Keep, reply: DeviceReply, hash: Bytes): SignedCommit | ReplyRefusal {
    const before = signed.find(reply.device, reply.counter, hash);
    if (before) return before;
    const command = byHash(reply.device, reply.command);
    if (!command) return signed.claim(reply.device, reply.counter, hash, "reply");
    const refusal = reply.roll && rolls.refusalOf(reply.roll, reply.device, command);
    if (refusal) return refusal;
    const outcome = signed.claim(reply.device, reply.counter, hash, "reply");
    const kid = toBuffer(reply.device, "key id");
    putReply.run(toBuffer(reply.content, "reply"), reply.counter, reply.at, kid, command.counter);
    if (reply.roll) rolls.introduce(reply.roll, reply);
    const device = known(reply.device) as KnownDevice;
    if (reply.deleted && command.action === "delete" && device.state === "deleting") {
      close(keep, device, "deleted", reply.at);
      audit.append({
        kind: "act",
        class: "deleted",
        kid: reply.device,
        details: { command: command.counter },
      });
    }
    return outcome;
  }

  const issueAll = journal.protect(issue);
  const raiseAll = journal.protect(raise);
  const replyAll = journal.protect(commitReply);

  return {
    async issueCommand(draft, make) {
      return issueAll(draft, make);
    },
    async raiseCommandCounter(device, counter) {
      raiseAll(device, counter);
    },
    async moveCommand(device, counter, state) {
      return move.run({ device: toBuffer(device, "key id"), counter, state }).changes === 1;
    },
    async expireCommands(at) {
      return expire.run(at).changes;
    },
    async commitReply(reply, hash) {
      return replyAll(reply, hash);
    },
    async findCommand(device, counter) {
      const row = find.get(toBuffer(device, "key id"), counter);
      return row && toCommand(row);
    },
    async findCommandByHash(device, hash) {
      return byHash(device, hash);
    },
    async listCommands(device) {
      return list.all(toBuffer(device, "key id")).map(toCommand);
    },
  };
}
