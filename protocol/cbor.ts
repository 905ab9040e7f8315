/**
 * CBOR as this profile allows it (RFC 8949): deterministic when written (section
 * 4.2.1), strict when read. Integers, byte strings, text, arrays, maps, tags,
 * booleans; no floating point, no indefinite lengths, no null.
 *
 * Writing composes byte strings: a head, then its content. Reading pulls: a caller
 * asks for the one thing it expects, so depth is bounded by the code and no tree
 * is built. Maps are read key by key against the keys the profile names, in
 * deterministic order, which refuses duplicates and strangers alike.
 */
import { type Bytes, chars } from "./bytes.ts";
import { fail } from "./errors.ts";

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

/** Where a reader stands in a message. */
export interface Cursor {
  bytes: Bytes;
  at: number;
}

/**
 * Reads a head of the major type expected and gives its argument: "form" when it
 * is another type, "cbor" when it is cut off, not the shortest, or indefinite.
 */
export function readHead(cursor: Cursor, major: number): number {
  if (cursor.at >= cursor.bytes.length) fail("cbor", "CBOR item, expected more bytes, got the end");
  const initial = cursor.bytes.charCodeAt(cursor.at);
  const type = initial >> 5;
  if (type !== major) fail("form", "CBOR item, expected major type " + major + ", got " + type);
  cursor.at++;
  const info = initial & 31;
  if (info < 24) return info;
  if (info > 27) fail("cbor", "CBOR head, expected a definite length, got " + info);
  const size = 1 << (info - 24);
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + cursor.bytes.charCodeAt(cursor.at + i);
  cursor.at += size;
  // The smallest that takes this form: one more than the form before it holds.
  const least = size === 1 ? 24 : Math.pow(256, size / 2);
  // A head that is cut off reads past the end, which makes the value NaN.
  if (!(value >= least && value <= 9007199254740991))
    fail("cbor", "CBOR argument, expected the shortest form below 2^53, got " + size + " bytes");
  return value;
}

export function readInt(cursor: Cursor): number {
  if (cursor.bytes.charCodeAt(cursor.at) >> 5 === NEGATIVE) return -1 - readHead(cursor, NEGATIVE);
  return readHead(cursor, UNSIGNED);
}

function take(cursor: Cursor, length: number): Bytes {
  const start = cursor.at;
  if (length > cursor.bytes.length - start)
    fail("cbor", "CBOR string, expected " + length + " bytes, got the end");
  cursor.at = start + length;
  return cursor.bytes.substring(start, cursor.at) as Bytes;
}

export function readBytes(cursor: Cursor): Bytes {
  return take(cursor, readHead(cursor, BYTE_STRING));
}

/** A byte string of exactly `length` bytes; "size" otherwise. */
export function readBytesOf(cursor: Cursor, length: number): Bytes {
  const value = readBytes(cursor);
  if (value.length !== length)
    fail("size", "byte string, expected " + length + " bytes, got " + value.length);
  return value;
}

/** True for well-formed UTF-8 (RFC 3629): shortest forms, no surrogates, at most U+10FFFF. */
function isUtf8(text: Bytes): boolean {
  let i = 0;
  while (i < text.length) {
    const lead = text.charCodeAt(i++);
    if (lead < 0x80) continue;
    const more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4) return false;
    let point = lead & (0x3f >> more);
    for (let k = 0; k < more; k++) {
      const next = text.charCodeAt(i++);
      if (next >> 6 !== 2) return false;
      point = point * 64 + (next & 0x3f);
    }
    if (more === 2 && (point < 0x800 || (point >= 0xd800 && point <= 0xdfff))) return false;
    if (more === 3 && (point < 0x10000 || point > 0x10ffff)) return false;
  }
  return true;
}

/** Text as its UTF-8 bytes. */
export function readText(cursor: Cursor): Bytes {
  const text = take(cursor, readHead(cursor, TEXT));
  if (!isUtf8(text)) fail("cbor", "CBOR text, expected UTF-8, got other bytes");
  return text;
}

export function readBoolean(cursor: Cursor): boolean {
  if (cursor.at >= cursor.bytes.length) fail("cbor", "CBOR item, expected a boolean, got the end");
  const initial = cursor.bytes.charCodeAt(cursor.at);
  if (initial !== 0xf4 && initial !== 0xf5)
    fail("form", "CBOR item, expected a boolean, got " + initial);
  cursor.at++;
  return initial === 0xf5;
}

/**
 * Reads one thing whose bytes are known beforehand, such as the tag and array
 * head of a COSE message or a header with its only allowed value.
 */
export function readExactly(cursor: Cursor, expected: string, what: string): void {
  const got = cursor.bytes.substr(cursor.at, expected.length);
  if (got !== expected) fail("profile", what + ", expected the one form of this profile");
  cursor.at += expected.length;
}

/** "cbor" when bytes follow the last item. */
export function readEnd(cursor: Cursor): void {
  const rest = cursor.bytes.length - cursor.at;
  if (rest !== 0) fail("cbor", "message, expected its end, got " + rest + " more bytes");
}
