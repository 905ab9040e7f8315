import { types } from "node:util";

/**
 * The bytes of anything Espruino takes as bytes (its E.toString, Storage.write and
 * I2C.writeTo): a number is one byte, a string its characters' low bytes, an array or
 * typed array its elements, one after the other.
 */
export function toByteString(value: unknown): string {
  if (typeof value === "number") return String.fromCharCode(value & 255);
  if (typeof value === "string") return lowBytes(value);
  if (types.isAnyArrayBuffer(value)) return Buffer.from(value).toString("latin1");
  if (Array.isArray(value) || types.isTypedArray(value))
    return Array.from(value as ArrayLike<unknown>, toByteString).join("");
  throw new Error(`Expecting a number or something iterable, got ${typeof value}`);
}

/** A string as the board holds it: every character one byte. */
export function lowBytes(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
