/** Every message class with its topic, direction, quality of service and bound, in one table. */
import { type Bytes, fromHex, toHex } from "./bytes.ts";
import { fail } from "./errors.ts";

export type MessageClass =
  | "session"
  | "reading"
  | "event"
  | "receipt"
  | "enrol"
  | "enrolled"
  | "command"
  | "reply";

/** Longest message to a device: it is held in memory whole, next to what opening it needs. */
export const DOWNWARD_LIMIT = 1024;

export interface ClassRule {
  /** True from the device to the cloud. */
  up: boolean;
  /** Highest MQTT quality of service; a reading's own may be lower (its sensor says). */
  qos: 0 | 1 | 2;
  /** Longest message, bytes. */
  limit: number;
}

export const CLASSES: { [name in MessageClass]: ClassRule } = {
  session: { up: true, qos: 2, limit: 4096 },
  reading: { up: true, qos: 1, limit: 1024 },
  event: { up: true, qos: 2, limit: 4096 },
  receipt: { up: false, qos: 1, limit: DOWNWARD_LIMIT },
  enrol: { up: true, qos: 2, limit: 4096 },
  enrolled: { up: false, qos: 2, limit: DOWNWARD_LIMIT },
  command: { up: false, qos: 2, limit: DOWNWARD_LIMIT },
  reply: { up: true, qos: 2, limit: 4096 },
};

/** Topic prefix of profile 1; a deployment may choose another. */
export const TOPIC_PREFIX = "cf/1";

/** After the prefix: where the cloud's newest certificate is retained, DER as it is. */
export const CLOUD_TOPIC = "/cloud";

/** `<prefix>/<kid as 16 hexadecimal digits>/<class>` */
export function topicOf(prefix: string, kid: Bytes, messageClass: MessageClass): string {
  return prefix + "/" + toHex(kid) + "/" + messageClass;
}

/** The key id and class of a topic under the prefix; "topic" for any other. */
export function parseTopic(
  prefix: string,
  topic: string,
): { kid: Bytes; messageClass: MessageClass } {
  const parts = topic.substring(prefix.length + 1).split("/");
  const id = parts[0] as string;
  const name = parts[1] as string;
  const kid = /^[0-9a-f]{16}$/.test(id) ? fromHex(id) : undefined;
  if (
    topic.substring(0, prefix.length + 1) !== prefix + "/" ||
    parts.length !== 2 ||
    kid === undefined
  )
    fail("topic", "topic, expected " + prefix + "/<16 hexadecimal digits>/<class>, got " + topic);
  if (Object.keys(CLASSES).indexOf(name) < 0)
    fail("topic", "topic class, expected one of the table, got " + name);
  return { kid: kid, messageClass: name as MessageClass };
}
