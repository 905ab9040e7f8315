/** Commands to devices and their replies: the part of the store that operators use. */
import type { Bytes } from "../../protocol/bytes.ts";
import type { SignedCommit } from "./store.ts";

export type CommandAction = "request" | "update" | "delete";
export type CommandForm = "sealed" | "signed" | "plain";
/** "unconfirmed": nobody waits for the reply any more. It is still taken when it comes. */
export type CommandState = "issued" | "sent" | "replied" | "expired" | "unconfirmed";

export interface CommandDraft {
  /** Key id of the device. */
  device: Bytes;
  action: CommandAction;
  form: CommandForm;
  userId: string | undefined;
  /** Unix seconds. */
  issuedAt: number;
  expiresAt: number;
}

export interface MadeCommand {
  message: Bytes;
  /** SHA-256 of the Sig_structure, 32 bytes. */
  hash: Bytes;
}

export interface StoredReply {
  /** The opened reply, as reply-content.ts writes it. */
  content: Bytes;
  /** The device counter of its message. */
  counter: number;
  /** Unix seconds. */
  at: number;
}

export interface Command extends CommandDraft, MadeCommand {
  /** Higher than all before to this device, whoever issued them. */
  counter: number;
  state: CommandState;
  reply: StoredReply | undefined;
}

export interface DeviceReply extends StoredReply {
  /** Key id of the device. */
  device: Bytes;
  /** Hash of the command as the reply names it: all of it, or 16 bytes from its start. */
  command: Bytes;
  /** True when the device says that it has deleted itself. */
  deleted: boolean;
  /** With the reply `rolled`. */
  roll?: RolledKey | undefined;
}

/** A key that takes the place of the device's. */
export interface RolledKey {
  publicKey: Bytes;
  thumbprint: Bytes;
  /** DER. */
  certificate: Bytes;
  /** The `enrolled` message to it. */
  enrolled: Bytes;
}

/** Why a reply is not taken, beside what every signed message is refused for. */
export type ReplyRefusal =
  /** The command asks for something else, or has had its reply. */
  | "command-other"
  /** The new key is another's. */
  | "key-known";

export interface CommandStore {
  /**
   * Takes the device's next counter, max(last + 1, Unix milliseconds), has the command made
   * with it and stores it before anybody sends it. From a delete on the device is closed.
   * `make` runs within the transaction; what it throws undoes all.
   */
  issueCommand(
    draft: CommandDraft,
    make: (counter: number) => MadeCommand,
  ): Promise<Command | "device-unknown" | "device-deleted" | "device-revoked">;
  /**
   * The device has obeyed this counter, whoever sent it: the next one is above it. A
   * database older than its device would otherwise never get ahead of it.
   */
  raiseCommandCounter(device: Bytes, counter: number): Promise<void>;
  /** False when the command has left the states from which it may come there. */
  moveCommand(
    device: Bytes,
    counter: number,
    state: "sent" | "expired" | "unconfirmed",
  ): Promise<boolean>;
  /** Expires what waits beyond its time; a delete is unconfirmed then. Gives how many. */
  expireCommands(now: number): Promise<number>;
  /**
   * Keeps the first reply to a command; further ones, and one to a command that is not here, only
   * spend their counter. The reply to
   * a delete makes the device's row its tombstone. The reply `rolled` introduces the new key,
   * and keeps the `enrolled` that answers it.
   */
  commitReply(reply: DeviceReply, hash: Bytes): Promise<SignedCommit | ReplyRefusal>;
  findCommand(device: Bytes, counter: number): Promise<Command | undefined>;
  /** By its hash, or 16 or more bytes from the start of it. */
  findCommandByHash(device: Bytes, hash: Bytes): Promise<Command | undefined>;
  /** Oldest first. */
  listCommands(device: Bytes): Promise<Command[]>;
}
