import type { Bytes } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";

/** A character that is no byte. A latin1 conversion would cut it to its low byte in silence. */
const NOT_A_BYTE = /[\u0100-\uffff]/;

/** A byte string as a Buffer of its own; "argument" for anything else. */
export function toBuffer(value: Bytes, name: string): Buffer {
  if (typeof value !== "string" || NOT_A_BYTE.test(value))
    fail("argument", `${name}, expected a byte string, got ${kindOf(value)}`);
  return Buffer.from(value, "latin1");
}

/** A byte string of exactly `length` bytes as a Buffer; "argument" for anything else. */
export function toSizedBuffer(value: Bytes, length: number, name: string): Buffer {
  const buffer = toBuffer(value, name);
  if (buffer.length !== length)
    fail("argument", `${name}, expected ${length} bytes, got ${buffer.length}`);
  return buffer;
}

export function fromBuffer(buffer: Buffer): Bytes {
  return buffer.toString("latin1") as Bytes;
}

/** What a wrong argument is, without its content: it may be a secret. */
function kindOf(value: unknown): string {
  return typeof value === "string" ? "a string with characters above 255" : typeof value;
}
