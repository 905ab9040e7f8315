/** What a reply means for whoever sent the command. */
import {
  REASON_BUSY,
  REASON_CERTIFICATE,
  REASON_DEVICE,
  REASON_SETTINGS,
  REASON_STORE,
  REASON_USER,
  STATUS_DELETED,
  STATUS_DONE,
  STATUS_EXPIRED,
  STATUS_POLICY,
  STATUS_REFUSED,
  STATUS_ROLLED,
  STATUS_STALE,
} from "../../protocol/reply-message.ts";
import type { Command, CommandAction, CommandForm } from "../store/commands.ts";
import { type ReplyContent, readReplyContent } from "../store/reply-content.ts";

/** STATUS_* of a reply, in words. */
export const STATUSES: Readonly<Record<number, string>> = {
  [STATUS_DONE]: "done",
  [STATUS_REFUSED]: "refused",
  [STATUS_STALE]: "stale",
  [STATUS_EXPIRED]: "expired",
  [STATUS_POLICY]: "policy",
  [STATUS_ROLLED]: "rolled",
  [STATUS_DELETED]: "deleted",
};

const REASONS: Readonly<Record<number, string>> = {
  [REASON_DEVICE]: "it has another device id",
  [REASON_USER]: "it belongs to another user",
  [REASON_SETTINGS]: "the board cannot work with these settings",
  [REASON_CERTIFICATE]: "a certificate breaks a rule",
  [REASON_STORE]: "its store failed",
  [REASON_BUSY]: "not now, something else is at work: send it again later",
};

/** FORM_* of the wire, in words. */
const TAKEN: readonly (CommandForm | undefined)[] = [undefined, "sealed", "signed", "plain"];

/** What counts as carried out. */
const SUCCESS: Readonly<Record<CommandAction, readonly number[]>> = {
  request: [STATUS_DONE],
  update: [STATUS_DONE, STATUS_ROLLED],
  delete: [STATUS_DELETED],
};

export interface Outcome {
  isDone: boolean;
  status: string;
  detail: ReplyContent["detail"];
  /** For people; empty where the status says it all. */
  words: string;
}

function wordsOf(
  { status, detail }: ReplyContent,
  { action, form }: Pick<Command, "action" | "form">,
): string {
  if (typeof detail !== "number") return "the new key's request is with the registrar";
  if (status === STATUS_REFUSED) return REASONS[detail] ?? `reason ${detail}`;
  if (status === STATUS_STALE)
    return `it has obeyed counter ${detail}; the next command gets a higher one: send it again`;
  if (status === STATUS_EXPIRED)
    return `its time is ${new Date(detail * 1000).toISOString()} or later: give --expires more time`;
  if (status === STATUS_POLICY)
    return `its policy takes "${action}" ${TAKEN[detail]}, not ${form}: send it so, or change the policy on the device`;
  return "";
}

/** Undefined while there is no reply. */
export function outcomeOf(command: Command): Outcome | undefined {
  if (command.reply === undefined) return undefined;
  const content = readReplyContent(command.reply.content);
  const { status, detail } = content;
  return {
    isDone: SUCCESS[command.action].includes(status),
    status: STATUSES[status] ?? `status ${status}`,
    detail,
    words: wordsOf(content, command),
  };
}

/** The counter that a device has obeyed already, where its reply is `stale`. */
export function obeyedCounter(command: Command): number | undefined {
  if (command.reply === undefined) return undefined;
  const { status, detail } = readReplyContent(command.reply.content);
  return status === STATUS_STALE && typeof detail === "number" ? detail : undefined;
}
