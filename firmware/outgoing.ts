/** What delivery and MQTT share of a message on its way out. */
import type { Bytes } from "../protocol/bytes.ts";
import type { MessageClass } from "../protocol/topics.ts";
import type { Kept } from "./mqtt/options.ts";

/** Not yet given to MQTT. */
export const WAITING = 0;
/** Given to MQTT, not yet acknowledged by the broker. */
export const IN_FLIGHT = 1;
/** The broker has it; the cloud has not said so. */
export const ACKNOWLEDGED = 2;

/** A reading, or a signed message: a session's or an event. */
export interface Outgoing {
  message: Bytes;
  qos: 0 | 1 | 2;
  state: number;
  /** Uptime at which the broker took it. */
  takenAt: number;
}

/**
 * Marks as not sent what the broker took at `before` or earlier, and says so. What is
 * still with MQTT stays there.
 */
export function rewind(item: Outgoing, before: number): boolean {
  if (item.state !== ACKNOWLEDGED || item.takenAt > before) return false;
  item.state = WAITING;
  return true;
}

/** When the broker took what has waited longest of these for a receipt; Infinity when nothing has. */
export function earliestTaken(items: Outgoing[]): number {
  let since = Infinity;
  items.forEach(function (item) {
    if (item.state === ACKNOWLEDGED) since = Math.min(since, item.takenAt);
  });
  return since;
}

/**
 * Hands a message to MQTT; false when the client is not ready for it. `done` is
 * called when the broker has it (PUBCOMP, PUBACK) or, at QoS 0, when it is written.
 */
export type Publish = (
  messageClass: MessageClass,
  message: Bytes,
  qos: 0 | 1 | 2,
  done: () => void,
  kept: Kept | undefined,
) => boolean;
