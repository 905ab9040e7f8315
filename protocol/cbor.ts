/**
 * CBOR as this profile allows it (RFC 8949): deterministic when written (section
 * 4.2.1), strict when read. Integers, byte strings, text, arrays, maps, tags,
 * booleans; no floating point, no indefinite lengths, no null.
 *
 * Writing composes byte strings: a head, then its content. Reading: cbor-reader.ts.
 */
import { type Bytes, chars } from "./bytes.ts";

export const UNSIGNED = 0;
export const NEGATIVE = 1;
export const BYTE_STRING = 2;
export const TEXT = 3;
export const ARRAY = 4;
export const MAP = 5;
export const TAG = 6;

/** An initial byte and its argument, shortest form (RFC 8949 section 3). `value` < 2^53. */
export function cborHead(major: number, value: number): Bytes {
  const type = major << 5;
  if (value < 24) return chars(type | value) as Bytes;
  if (value < 256) return chars(type | 24, value) as Bytes;
  if (value < 65536) return chars(type | 25, value >> 8, value & 255) as Bytes;
  const low = chars(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
  if (value < 4294967296) return (chars(type | 26) + low) as Bytes;
  const high = Math.floor(value / 4294967296);
  return (chars(type | 27, 0, high >> 16, (high >> 8) & 255, high & 255) + low) as Bytes;
}

/** A whole number, negative ones included. */
export function cborInt(value: number): Bytes {
  return value < 0 ? cborHead(NEGATIVE, -1 - value) : cborHead(UNSIGNED, value);
}

export function cborBytes(value: Bytes): Bytes {
  return (cborHead(BYTE_STRING, value.length) + value) as Bytes;
}

/** Text: `value` holds its UTF-8 bytes. */
export function cborText(value: string): Bytes {
  return (cborHead(TEXT, value.length) + value) as Bytes;
}
