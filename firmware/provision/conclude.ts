/**
 * The last step of a command: what it led to is written before anybody is told, then its
 * reply goes out, or the device is erased. Made when nothing of the command's own code is
 * held any more: both at once are too much for the memory of a board.
 */
import { type Bytes, toBigEndian } from "../../protocol/bytes.ts";
import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import type { Recipient } from "../../protocol/cose/encrypt.ts";
import { MESSAGE_HASH_LENGTH } from "../../protocol/cose/sign1.ts";
import { kidOf } from "../../protocol/kid.ts";
import { createReplyMaker, STATUS_DELETED, STATUS_ROLLED } from "../../protocol/reply-message.ts";
import type { Delivery } from "../delivery.ts";
import type { Log, System } from "../ports.ts";
import type { Identity } from "../session.ts";
import type { Conclusion, Outcome } from "./command.ts";
import {
  type CommandRecord,
  DELETING,
  DONE,
  REPLIED,
  writeCommandRecord,
} from "./command-record.ts";
import { eraseDevice } from "./deprovision.ts";
import { noteRequest } from "./roll-record.ts";

export interface ConcludePorts {
  crypto: DeviceCrypto;
  identity: Identity;
  log: Log;
  system: Pick<System, "storage" | "interpreter">;
  /** Whom replies are sealed to: the cloud, alone in the list. */
  recipients: Recipient[];
}

/** Keeps the reply in a record of its own and sends it; one that is kept already is left alone. */
export type KeepReply = Delivery["reply"];

interface MadeReply {
  counter: number;
  /** As the command's record has it: hash and message. */
  body: Bytes;
}

/** A reply under a counter of its own. */
function makeReply(ports: ConcludePorts, hash: Bytes, outcome: Outcome): MadeReply {
  const counter = ports.crypto.nextCounter(ports.identity.id);
  const make = createReplyMaker(ports.crypto);
  const reply = { command: hash, status: outcome.status, detail: outcome.detail };
  const made = make(ports.identity, ports.recipients, counter, reply);
  ports.log("command: reply " + outcome.status);
  return {
    counter: counter,
    body: (made.hash.substring(0, MESSAGE_HASH_LENGTH) + made.message) as Bytes,
  };
}

function send(reply: KeepReply, counter: number, body: Bytes): void {
  reply(
    toBigEndian(counter),
    body.substring(0, MESSAGE_HASH_LENGTH) as Bytes,
    body.substring(MESSAGE_HASH_LENGTH) as Bytes,
  );
}

/** Never returns to this life: the reply is all that is left. */
function erase(ports: ConcludePorts, record: CommandRecord): void {
  eraseDevice(ports, {
    kid: kidOf(ports.identity.thumbprint),
    reply: record.body.substring(MESSAGE_HASH_LENGTH) as Bytes,
  });
}

export function concludeCommand(
  ports: ConcludePorts,
  reply: KeepReply,
  conclusion: Conclusion,
): void {
  const record = conclusion.record;
  const outcome = conclusion.outcome;
  if (outcome !== undefined) {
    const made = makeReply(ports, conclusion.hash, outcome);
    if (outcome.status === STATUS_ROLLED) noteRequest(ports.crypto, ports.log, made.body);
    if (record === undefined) {
      send(reply, made.counter, made.body);
      return;
    }
    record.replyCounter = made.counter;
    record.body = made.body;
    record.phase = outcome.status === STATUS_DELETED ? DELETING : DONE;
    writeCommandRecord(ports.crypto, record);
  }
  if (record === undefined) return;
  if (record.phase === DELETING) {
    erase(ports, record);
    return;
  }
  send(reply, record.replyCounter, record.body);
  if (record.phase === REPLIED) return;
  record.phase = REPLIED;
  writeCommandRecord(ports.crypto, record);
}
