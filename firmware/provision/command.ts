/**
 * Commands, from their bytes to how they ended. A command is carried out once: its record
 * says how far it has come, and an action that a power cut interrupted is done again, which
 * changes nothing. Made for a command and dropped after it: the reply is made by conclude.ts.
 */
import type { Bytes } from "../../protocol/bytes.ts";
import {
  ACTION_DELETE,
  ACTION_REQUEST,
  type Command,
  createCommandReader,
  FORM_PLAIN,
  FORM_SEALED,
} from "../../protocol/command-content.ts";
import {
  createCommandOpener,
  type OpenedCommand,
  type ParsedCommand,
} from "../../protocol/command-message.ts";
import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import {
  REASON_BUSY,
  REASON_DEVICE,
  REASON_STORE,
  REASON_USER,
  STATUS_DELETED,
  STATUS_EXPIRED,
  STATUS_POLICY,
  STATUS_REFUSED,
  STATUS_STALE,
} from "../../protocol/reply-message.ts";
import type { Log } from "../ports.ts";
import type { Identity } from "../session.ts";
import {
  type CommandRecord,
  DELETING,
  DOING,
  REPLIED,
  readCommandRecord,
  writeCommandRecord,
} from "./command-record.ts";
import { FORM_NAMES } from "./policy.ts";

/** How a command ended: STATUS_* and its detail. */
export interface Outcome {
  status: number;
  detail: number | Bytes;
}

/** What is left to do once nothing of the command's own code is held: conclude.ts. */
export interface Conclusion {
  /** The command's, as it is stored or is to be; undefined for one that leaves no trace. */
  record: CommandRecord | undefined;
  /** What names the command in the reply. */
  hash: Bytes;
  /** undefined where the record has the reply already. */
  outcome: Outcome | undefined;
}

/** What commands ask of the device's trust in the cloud. */
export interface CommandTrust {
  /** The provisioner's public key, by the certificate that rode along or the stored one; throws "certificate". */
  provisioner(leaf: Bytes | undefined): Bytes;
  /** Unix seconds: no earlier than now is. */
  floor(): number;
  /** A genuine command: the floor may rise to its time, and the certificate is kept for the next. */
  accepted(time: number, leaf: Bytes | undefined): void;
}

export interface CommandPorts {
  crypto: DeviceCrypto;
  identity: Identity;
  log: Log;
  trust: CommandTrust;
  /** The most open form of a request (policy.ts). */
  requestForm: number;
  /** Takes one verification from the device's allowance; false when none is left. */
  mayVerify: () => boolean;
  /** Who the device is; undefined for one that was registered by hand and knows no names. */
  ids: { deviceId: Bytes; userId: Bytes } | undefined;
  /**
   * Carries out a request or update, once more after a power cut; undefined while that
   * takes longer: then resume() is called until it is known how it ended.
   */
  act: (command: Command, form: number) => Outcome | undefined;
}

interface Taken {
  opened: OpenedCommand;
  form: number;
  leaf: Bytes | undefined;
}

export function createCommandHandler(ports: CommandPorts) {
  const crypto = ports.crypto;
  const log = ports.log;

  /** Of what leaves no trace in the record: nothing was done. */
  function answer(hash: Bytes, status: number, detail: number): Conclusion {
    return { record: undefined, hash: hash, outcome: { status: status, detail: detail } };
  }

  function ended(record: CommandRecord, outcome: Outcome | undefined): Conclusion {
    return { record: record, hash: record.hash, outcome: outcome };
  }

  /** A store that fails is said to the cloud, where it can still be said. */
  function tryAct(command: Command, form: number): Outcome | undefined {
    if (command.action === ACTION_DELETE) return { status: STATUS_DELETED, detail: 0 };
    try {
      return ports.act(command, form);
    } catch (error) {
      log("command failed: " + (error as Error).message);
      return { status: STATUS_REFUSED, detail: REASON_STORE };
    }
  }

  /** undefined while it goes on. */
  function carryOut(record: CommandRecord, command: Command): Conclusion | undefined {
    const outcome = tryAct(command, record.form);
    return outcome && ended(record, outcome);
  }

  /** What keeps a genuine command from being carried out; undefined for nothing. */
  function judge(command: Command, form: number): Outcome | undefined {
    const refuse = (reason: number) => ({ status: STATUS_REFUSED, detail: reason });
    if (form > ports.requestForm) return { status: STATUS_POLICY, detail: ports.requestForm };
    const ids = ports.ids;
    if (ids !== undefined) {
      if (command.deviceId !== ids.deviceId) return refuse(REASON_DEVICE);
      // Only where nobody else can read it may a request name another user.
      const mayMove = command.action === ACTION_REQUEST && form === FORM_SEALED;
      if (!mayMove && command.userId !== ids.userId) return refuse(REASON_USER);
    }
    const floor = ports.trust.floor();
    if (form !== FORM_PLAIN && command.expires < floor)
      return { status: STATUS_EXPIRED, detail: floor };
    return undefined;
  }

  /** A signed or sealed command, verified and opened. */
  function take(
    opened: OpenedCommand,
    form: number,
    leaf: Bytes | undefined,
  ): Conclusion | undefined {
    const command = opened.command;
    const last = readCommandRecord(crypto, log);
    if (last !== undefined && command.counter <= last.counter) {
      const isSame = command.counter === last.counter && opened.hash === last.hash;
      if (!isSame) return answer(opened.hash, STATUS_STALE, last.counter);
      if (last.phase !== DOING) return ended(last, undefined);
      log("command " + last.counter + " is at work");
      return undefined;
    }
    if (last !== undefined && (last.phase === DOING || last.phase === DELETING))
      return answer(opened.hash, STATUS_REFUSED, REASON_BUSY);
    // Only of a command that is new: an old one tells an old time.
    ports.trust.accepted(command.issued, leaf);
    const record: CommandRecord = {
      phase: DOING,
      counter: command.counter,
      hash: opened.hash,
      form: form,
      replyCounter: 0,
      body: opened.content,
    };
    const refusal = judge(command, form);
    if (refusal !== undefined) return ended(record, refusal);
    // A delete has one step: its record is written with the reply.
    if (command.action !== ACTION_DELETE) writeCommandRecord(crypto, record);
    log("command " + command.counter + ", action " + command.action);
    return carryOut(record, command);
  }

  /** Nobody vouches for it: nothing is kept, and it does no more than a signed request can. */
  function takePlain(opened: OpenedCommand): Conclusion | undefined {
    const outcome = judge(opened.command, FORM_PLAIN) || tryAct(opened.command, FORM_PLAIN);
    return outcome && { record: undefined, hash: opened.hash, outcome: outcome };
  }

  /** Cheap checks only: "profile" for a plain command that the policy does not allow. */
  function parse(opener: ReturnType<typeof createCommandOpener>, message: Bytes): ParsedCommand {
    const parsed = opener.parse(message);
    if (parsed.form === FORM_PLAIN && ports.requestForm < FORM_PLAIN)
      fail(
        "profile",
        "plain command, expected provisioning.request to be plain, got " +
          FORM_NAMES[ports.requestForm],
      );
    return parsed;
  }

  /** What opens it is held no longer than this takes; undefined when too many were verified. */
  function open(message: Bytes): Taken | undefined {
    const opener = createCommandOpener(crypto);
    const parsed = parse(opener, message);
    if (!ports.mayVerify()) {
      log("command passed over: too many messages to verify");
      return undefined;
    }
    const signer = parsed.form === FORM_PLAIN ? undefined : ports.trust.provisioner(parsed.leaf);
    const opened = opener.open(parsed, ports.identity, signer);
    return { opened: opened, form: parsed.form, leaf: parsed.leaf };
  }

  return {
    /** Throws for what is no command of a provisioner; nothing has changed then. */
    handle(message: Bytes): Conclusion | undefined {
      const taken = open(message);
      if (taken === undefined) return undefined;
      if (taken.form === FORM_PLAIN) return takePlain(taken.opened);
      return take(taken.opened, taken.form, taken.leaf);
    },

    /** Goes on with a command that a restart interrupted, or that was not at its end. */
    resume(): Conclusion | undefined {
      const record = readCommandRecord(crypto, log);
      if (record === undefined || record.phase === REPLIED) return undefined;
      if (record.phase !== DOING) return ended(record, undefined);
      const command = createCommandReader()(record.body, record.form);
      return carryOut(record, command);
    },
  };
}
export type CommandHandler = ReturnType<typeof createCommandHandler>;
