import type { Bytes } from "../protocol/bytes.ts";

/** Text of a message, whose UTF-8 was checked where it was read. */
export function textOf(value: Bytes): string {
  return Buffer.from(value, "latin1").toString("utf8");
}
