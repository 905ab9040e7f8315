/**
 * Reads CBOR of this profile (cbor.ts), strictly: deterministic form or an error. Reading
 * pulls: a caller asks for the one thing it expects, so depth is bounded by the code and
 * no tree is built. Maps are read key by key against the keys the profile names, in
 * deterministic order, which refuses duplicates and strangers alike.
 */
import type { Bytes } from "./bytes.ts";
import { BYTE_STRING, NEGATIVE, TEXT, UNSIGNED } from "./cbor.ts";
import { fail } from "./errors.ts";

/**
 * A reader at the start of a message. One that is dropped leaves nothing on the device, whatever it
 * has refused: nothing that can throw stands in a call of another of its functions (DESIGN.md, section 1).
 */
export function createReader(message: Bytes) {
  let at = 0;

  /** The initial byte of the next item, not yet read. */
  function peek(): number {
    if (at >= message.length) fail("cbor", "CBOR item, expected more bytes, got the end");
    return message.charCodeAt(at);
  }

  /**
   * Reads a head of the major type expected and gives its argument: "form" when it
   * is another type, "cbor" when it is cut off, not the shortest, or indefinite.
   */
  function readHead(major: number): number {
    const initial = peek();
    const type = initial >> 5;
    if (type !== major) fail("form", "CBOR item, expected major type " + major + ", got " + type);
    at++;
    const info = initial & 31;
    if (info < 24) return info;
    if (info > 27) fail("cbor", "CBOR head, expected a definite length, got " + info);
    const size = 1 << (info - 24);
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + message.charCodeAt(at + i);
    at += size;
    // The smallest that takes this form: one more than the form before it holds.
    const least = size === 1 ? 24 : Math.pow(256, size / 2);
    // A head that is cut off reads past the end, which makes the value NaN.
    if (!(value >= least && value <= 9007199254740991))
      fail("cbor", "CBOR argument, expected the shortest form below 2^53, got " + size + " bytes");
    return value;
  }

  function take(length: number): Bytes {
    const start = at;
    if (length > message.length - start)
      fail("cbor", "CBOR string, expected " + length + " bytes, got the end");
    at = start + length;
    return message.substring(start, at) as Bytes;
  }

  function readBytes(): Bytes {
    const length = readHead(BYTE_STRING);
    return take(length);
  }

  return {
    peek: peek,
    head: readHead,
    /** As many bytes as they come. */
    take: take,
    bytes: readBytes,

    /** A byte string of exactly `length` bytes; "size" otherwise. */
    bytesOf(length: number): Bytes {
      const value = readBytes();
      if (value.length !== length)
        fail("size", "byte string, expected " + length + " bytes, got " + value.length);
      return value;
    },

    /** A counter: a byte string of 1 to `longest` bytes without a leading zero. */
    counter(longest: number, what: string): Bytes {
      const value = readBytes();
      if (value.length < 1 || value.length > longest || value.charCodeAt(0) === 0)
        fail("sequence", what + ", expected 1 to " + longest + " bytes without a leading zero");
      return value;
    },

    /**
     * One thing whose bytes are known beforehand, such as the tag and array head of a
     * COSE message or a header with its only allowed value.
     */
    exactly(expected: string, what: string): void {
      if (message.substr(at, expected.length) !== expected)
        fail("profile", what + ", expected the one form of this profile");
      at += expected.length;
    },

    /** All that is left. */
    rest: () => take(message.length - at),

    /** "cbor" when bytes follow the last item. */
    end(): void {
      const rest = message.length - at;
      if (rest !== 0) fail("cbor", "message, expected its end, got " + rest + " more bytes");
    },
  };
}
export type Reader = ReturnType<typeof createReader>;

export function readInt(reader: Reader): number {
  if (reader.peek() >> 5 === NEGATIVE) return -1 - reader.head(NEGATIVE);
  return reader.head(UNSIGNED);
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
export function readText(reader: Reader): Bytes {
  const length = reader.head(TEXT);
  const text = reader.take(length);
  if (!isUtf8(text)) fail("cbor", "CBOR text, expected UTF-8, got other bytes");
  return text;
}

export function readBoolean(reader: Reader): boolean {
  const initial = reader.peek();
  if (initial !== 0xf4 && initial !== 0xf5)
    fail("form", "CBOR item, expected a boolean, got " + initial);
  reader.take(1);
  return initial === 0xf5;
}
