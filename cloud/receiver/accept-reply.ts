import type { Bytes } from "../../protocol/bytes.ts";
import {
  createReplyOpener,
  type OpenedReply,
  STATUS_DELETED,
  STATUS_ROLLED,
} from "../../protocol/reply-message.ts";
import { createRoller } from "../registrar/roll.ts";
import type { Command, RolledKey } from "../store/commands.ts";
import type { StoredEnrolled } from "../store/enrolment.ts";
import { writeReplyContent } from "../store/reply-content.ts";
import type { KnownDevice } from "../store/store.ts";
import type { AcceptContext } from "./accept-context.ts";
import { createSignedJudge, type SignedMessage } from "./accept-signed.ts";
import type { FailureBudget } from "./failure-budget.ts";
import { isRefused, type RefusalReason, type Refused } from "./refusal.ts";

export interface AcceptedReply extends SignedMessage {
  kind: "reply";
  /** STATUS_*; undefined for a repeat. */
  status: number | undefined;
  /** False when the device has erased itself, and of a new key: `enrolled` answers that. */
  isReceipted: boolean;
  /** False where this database knows no such command to the device: only the reply's name is kept. */
  isKnown: boolean;
  /** What a new key gets for the reply that introduced it. */
  enrolled: StoredEnrolled | undefined;
}

/** Statuses that mean something for one action alone. */
const ACTION_OF: Readonly<Record<number, Command["action"]>> = {
  [STATUS_ROLLED]: "update",
  [STATUS_DELETED]: "delete",
};

function refusalOf(
  { state }: KnownDevice,
  { status }: OpenedReply,
  command: Command | undefined,
): RefusalReason | undefined {
  // Only a repeat is taken of a key that is gone; that was found before.
  if (state === "rolled") return "device-rolled";
  const isClosing = state === "deleting" || state === "deleted";
  if (isClosing && command?.action !== "delete") return "device-deleted";
  if (!command) return undefined;
  const action = ACTION_OF[status] ?? command.action;
  const isTooLate = status === STATUS_ROLLED && command.state === "replied";
  return action !== command.action || isTooLate ? "command-other" : undefined;
}

/**
 * Judges replies and keeps each good one with the command whose hash it names. A database that was
 * restored may not know that command: the device is told all the same that its reply has come.
 */
export function createReplyAcceptor(context: AcceptContext, budget: FailureBudget) {
  const { crypto, store, registrar, now } = context;
  const judgeReply = createSignedJudge(context, budget, "reply", createReplyOpener(crypto));
  const roll = registrar && createRoller(context, registrar);

  async function commit(
    device: KnownDevice,
    hash: Bytes,
    reply: OpenedReply,
    isKnown: boolean,
    rolled: RolledKey | undefined,
  ): Promise<AcceptedReply | Refused> {
    const { counter, command, status } = reply;
    const deleted = status === STATUS_DELETED;
    const row = { device: device.kid, counter, command, deleted, roll: rolled };
    const content = writeReplyContent(reply);
    const outcome = await store.commitReply({ ...row, content, at: now() }, hash);
    if (outcome === "conflict") return { refused: "counter-conflict" };
    if (outcome !== "stored" && outcome !== "repeat") return { refused: outcome };
    const repeat = outcome === "repeat";
    const enrolled = rolled && (await store.findEnrolled(device.kid, hash));
    const isReceipted = !deleted && !enrolled;
    return { kind: "reply", device, hash, repeat, status, isReceipted, isKnown, enrolled };
  }

  return async function acceptReply(
    device: KnownDevice,
    message: Bytes,
  ): Promise<AcceptedReply | Refused> {
    const judged = await judgeReply(device, message);
    if (isRefused(judged)) return judged;
    const { hash, opened } = judged;
    if (!opened) {
      const enrolled = await store.findEnrolled(device.kid, hash);
      const isReceipted = device.state !== "deleted" && !enrolled;
      const repeat = {
        kind: "reply",
        device,
        hash,
        repeat: true,
        status: undefined,
        isKnown: true,
      } as const;
      return { ...repeat, isReceipted, enrolled };
    }
    const command = await store.findCommandByHash(device.kid, opened.command);
    const refused = refusalOf(device, opened, command);
    if (refused) return { refused };
    const isKnown = command !== undefined;
    if (opened.status !== STATUS_ROLLED || !isKnown)
      return commit(device, hash, opened, isKnown, undefined);
    if (!roll) return { refused: "no-registrar" };
    const rolled = await roll(opened.detail as Bytes, hash);
    return isRefused(rolled) ? rolled : commit(device, hash, opened, isKnown, rolled);
  };
}
