/** How a command and what became of it are shown. */
import { commandDeviceId } from "../../cloud/operator/issue.ts";
import { outcomeOf } from "../../cloud/operator/outcome.ts";
import type { Command } from "../../cloud/store/commands.ts";
import type { KnownDevice } from "../../cloud/store/store.ts";
import { toHex } from "../../protocol/bytes.ts";
import { printable, when } from "./output.ts";

export function toJson(device: KnownDevice, command: Command) {
  const { counter, action, form, userId = null, state, issuedAt, expiresAt, hash } = command;
  const { isDone = null, status = null, detail = null } = outcomeOf(command) ?? {};
  return {
    ...{ kid: toHex(device.kid), deviceId: commandDeviceId(device), userId },
    ...{ counter, action, form, hash: toHex(hash), state, issuedAt, expiresAt },
    ...{ done: isDone, status, detail: typeof detail === "string" ? toHex(detail) : detail },
    repliedAt: command.reply?.at ?? null,
  };
}

/** The reply in words, or the state of a command without one. */
export function resultOf(command: Command): string {
  const outcome = outcomeOf(command);
  if (outcome === undefined) return command.state;
  return outcome.words === "" ? outcome.status : `${outcome.status}: ${outcome.words}`;
}

export const COMMAND_HEAD = ["DEVICE", "COUNTER", "ACTION", "FORM", "ISSUED", "EXPIRES", "RESULT"];

export function toRow(device: KnownDevice, command: Command): string[] {
  const { counter, action, form, issuedAt, expiresAt } = command;
  return [
    ...[printable(commandDeviceId(device)), String(counter), action, form],
    ...[when(issuedAt), when(expiresAt), resultOf(command)],
  ];
}

/** Where nobody has answered: what holds now, and what to type. */
export function withoutReply(device: KnownDevice, command: Command, isStopped: boolean): string {
  const { action, counter, expiresAt } = command;
  // A device id may hold anything printable; a key id needs no quotes.
  const name = toHex(device.kid);
  const lines = [
    isStopped
      ? `stopped waiting: ${action} ${counter} stays issued until ${when(expiresAt)}`
      : `no reply: ${action} ${counter} is ${command.state}; a device that gets it until ` +
        `${when(expiresAt)} still obeys it`,
    `a late reply shows in: coseflow provision status --device ${name}`,
    `to send it again: coseflow provision resend --device ${name}`,
  ];
  if (action === "delete")
    lines.push(
      "the cloud takes nothing but the reply from this device any more",
      `to give it up and free its device id: coseflow device revoke ${name}`,
    );
  return lines.map((line) => `${line}\n`).join("");
}
