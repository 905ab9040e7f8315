/**
 * Commands, from their bytes to the reply that is kept. A command is carried out once:
 * its record says how far it has come, and an action that a power cut interrupted is done
 * again, which changes nothing. Made for a command and dropped after it.
 */
import { type Bytes, toBigEndian } from "../../protocol/bytes.ts";
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
import type { Recipient } from "../../protocol/cose/encrypt.ts";
import { MESSAGE_HASH_LENGTH } from "../../protocol/cose/sign1.ts";
import { fail } from "../../protocol/errors.ts";
import {
  createReplyMaker,
  REASON_BUSY,
  REASON_DEVICE,
  REASON_STORE,
  REASON_USER,
  STATUS_DELETED,
  STATUS_EXPIRED,
  STATUS_POLICY,
  STATUS_REFUSED,
  STATUS_ROLLED,
  STATUS_STALE,
} from "../../protocol/reply-message.ts";
import type { Log } from "../ports.ts";
import type { Identity } from "../session.ts";
import {
  type CommandRecord,
  DELETING,
  DOING,
  DONE,
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

/** What commands ask of the device's trust in the cloud. */
export interface CommandTrust {
  /** The provisioner's public key, by the certificate that rode along or the stored one; throws "certificate". */
  provisioner(leaf: Bytes | undefined): Bytes;
  /** Unix seconds: no earlier than now is. */
  floor(): number;
  /** A genuine command: the floor may rise to its time, and the certificate is kept for the next. */
  accepted(time: number, leaf: Bytes | undefined): void;
  /** Whom replies are sealed to. */
  recipients(): Recipient[];
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
  /** The reply that introduces a new key is made: what answers it names this hash. */
  rolled: (hash: Bytes) => void;
  /** Keeps the reply in a record of its own and sends it; one that is kept already is left alone. */
  reply: (counter: Bytes, hash: Bytes, message: Bytes) => void;
  /** Erases the device, and never returns to this life: the reply is all that is left. */
  erase: (reply: Bytes) => void;
}

/** An opened command, its form and the certificate that rode along. */
interface Taken {
  opened: OpenedCommand;
  form: number;
  leaf: Bytes | undefined;
}

export function createCommandHandler(ports: CommandPorts) {
  const crypto = ports.crypto;
  const log = ports.log;

  /** A reply under a counter of its own, as its record's body has it. */
  function makeReply(hash: Bytes, outcome: Outcome): { counter: number; body: Bytes } {
    const counter = crypto.nextCounter(ports.identity.id);
    const reply = { command: hash, status: outcome.status, detail: outcome.detail };
    const made = createReplyMaker(crypto)(ports.identity, ports.trust.recipients(), counter, reply);
    log("command: reply " + outcome.status);
    return {
      counter: counter,
      body: (made.hash.substring(0, MESSAGE_HASH_LENGTH) + made.message) as Bytes,
    };
  }

  function send(counter: number, body: Bytes): void {
    ports.reply(
      toBigEndian(counter),
      body.substring(0, MESSAGE_HASH_LENGTH) as Bytes,
      body.substring(MESSAGE_HASH_LENGTH) as Bytes,
    );
  }

  /** Answers what leaves no trace in the record: nothing was done. */
  function answer(hash: Bytes, status: number, detail: number): void {
    const made = makeReply(hash, { status: status, detail: detail });
    send(made.counter, made.body);
  }

  function handOver(record: CommandRecord): void {
    send(record.replyCounter, record.body);
    record.phase = REPLIED;
    writeCommandRecord(crypto, record);
  }

  /** The last step of a command: what it led to is written before anybody is told. */
  function finish(record: CommandRecord, outcome: Outcome): void {
    const made = makeReply(record.hash, outcome);
    if (outcome.status === STATUS_ROLLED) ports.rolled(made.body);
    record.replyCounter = made.counter;
    record.body = made.body;
    record.phase = outcome.status === STATUS_DELETED ? DELETING : DONE;
    writeCommandRecord(crypto, record);
    if (record.phase === DELETING) ports.erase(record.body.substring(MESSAGE_HASH_LENGTH) as Bytes);
    else handOver(record);
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

  function carryOut(record: CommandRecord, command: Command): void {
    const outcome = tryAct(command, record.form);
    if (outcome !== undefined) finish(record, outcome);
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
  function take(opened: OpenedCommand, form: number, leaf: Bytes | undefined): void {
    const command = opened.command;
    const last = readCommandRecord(crypto, log);
    if (last !== undefined && command.counter <= last.counter) {
      const isSame = command.counter === last.counter && opened.hash === last.hash;
      if (!isSame) answer(opened.hash, STATUS_STALE, last.counter);
      else if (last.phase === DOING) log("command " + last.counter + " is at work");
      else if (last.phase === DELETING) resumeRecord(last);
      else send(last.replyCounter, last.body);
      return;
    }
    if (last !== undefined && (last.phase === DOING || last.phase === DELETING)) {
      answer(opened.hash, STATUS_REFUSED, REASON_BUSY);
      return;
    }
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
    if (refusal !== undefined) {
      finish(record, refusal);
      return;
    }
    // A delete has one step: its record is written with the reply.
    if (command.action !== ACTION_DELETE) writeCommandRecord(crypto, record);
    log("command " + command.counter + ", action " + command.action);
    carryOut(record, command);
  }

  /** Nobody vouches for it: nothing is kept, and it does no more than a signed request can. */
  function takePlain(opened: OpenedCommand): void {
    const outcome = judge(opened.command, FORM_PLAIN) || tryAct(opened.command, FORM_PLAIN);
    if (outcome === undefined) return;
    const made = makeReply(opened.hash, outcome);
    send(made.counter, made.body);
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

  function resumeRecord(record: CommandRecord): void {
    if (record.phase === DELETING) ports.erase(record.body.substring(MESSAGE_HASH_LENGTH) as Bytes);
    else if (record.phase === DONE) handOver(record);
    else if (record.phase === DOING)
      carryOut(record, createCommandReader()(record.body, record.form));
  }

  /** All that opens a command is gone on return: what follows needs the room. */
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
    handle(message: Bytes): void {
      const taken = open(message);
      if (!taken) return;
      if (taken.form === FORM_PLAIN) takePlain(taken.opened);
      else take(taken.opened, taken.form, taken.leaf);
    },

    /** Goes on with a command that a restart interrupted, or that was not at its end. */
    resume(): void {
      const record = readCommandRecord(crypto, log);
      if (record !== undefined) resumeRecord(record);
    },
  };
}
export type CommandHandler = ReturnType<typeof createCommandHandler>;
