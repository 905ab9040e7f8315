/**
 * Bytes are byte strings: one character, one byte (code 0 to 255). It is
 * Espruino's own binary type: sockets, storage, comparison and slicing work on it
 * without a copy. Only the cloud's door converts to and from Buffers (latin1).
 */
export type Bytes = string & { readonly __bytes: true };

/** Makes a byte string of byte values. The name is shorter on the device than String's own. */
export const chars = String.fromCharCode;

/** The bytes of an ASCII or latin1 literal, such as a ready part of a header. */
export function bytes(literal: string): Bytes {
  return literal as Bytes;
}

/** True when both hold the same bytes. No early exit: time tells the length only. */
export function equalBytes(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}

/** No regular expression and no Number.toString: each would leave 7 variables on the device. */
const DIGITS = "0123456789abcdef";

/** Lower-case hexadecimal digits, two a byte. */
export function toHex(value: Bytes): string {
  let text = "";
  for (let i = 0; i < value.length; i++) {
    const byte = value.charCodeAt(i);
    text += DIGITS.charAt(byte >> 4) + DIGITS.charAt(byte & 15);
  }
  return text;
}

/** The bytes of an even number of hexadecimal digits; undefined for anything else. */
export function fromHex(text: string): Bytes | undefined {
  if (text.length % 2 !== 0) return undefined;
  const digits = text.toLowerCase();
  let value = "";
  for (let i = 0; i < digits.length; i += 2) {
    const high = DIGITS.indexOf(digits.charAt(i));
    const low = DIGITS.indexOf(digits.charAt(i + 1));
    if (high < 0 || low < 0) return undefined;
    value += chars(high * 16 + low);
  }
  return value as Bytes;
}

/** An unsigned integer (0 to 2^40 - 1) as the shortest big-endian bytes; 0 is one zero byte. */
export function toBigEndian(value: number): Bytes {
  let text = chars(value % 256);
  for (let rest = Math.floor(value / 256); rest > 0; rest = Math.floor(rest / 256))
    text = chars(rest % 256) + text;
  return text as Bytes;
}

/** The unsigned integer that big-endian bytes stand for (up to 5 bytes are used in the profile). */
export function fromBigEndian(value: Bytes): number {
  let number = 0;
  for (let i = 0; i < value.length; i++) number = number * 256 + value.charCodeAt(i);
  return number;
}
