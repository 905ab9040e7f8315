import type { MessageClass } from "../../protocol/topics.ts";
import type { DeviceState, KnownDevice } from "../store/store.ts";
import type { RefusalReason } from "./refusal.ts";

/** How long readings still count that were sealed under a key which another has replaced. */
const LATE_READINGS = 30 * 24 * 3600;

/** What a device in a state may send, and what it is told otherwise; not listed: everything. */
const CLOSED: {
  [state in DeviceState]?: { reason: RefusalReason; open: MessageClass[] };
} = {
  rolling: { reason: "device-rolled", open: ["session"] },
  // A reply that is known by its name is a repeat; accept-reply.ts takes no other.
  rolled: { reason: "device-rolled", open: ["reading", "reply"] },
  deleting: { reason: "device-deleted", open: ["reply"] },
  deleted: { reason: "device-deleted", open: ["reply"] },
  revoked: { reason: "device-revoked", open: [] },
};

/** Why nothing of the class is taken from the device at `now`; undefined when it is. */
export function closedTo(
  { state, rolledAt }: KnownDevice,
  messageClass: MessageClass,
  now: number,
): RefusalReason | undefined {
  const rule = CLOSED[state];
  if (!rule) return undefined;
  if (!rule.open.includes(messageClass)) return rule.reason;
  const isLate = messageClass === "reading" && (rolledAt ?? 0) + LATE_READINGS < now;
  return isLate ? rule.reason : undefined;
}
