import type { Bytes } from "./bytes.ts";
import { cborText, UNSIGNED } from "./cbor.ts";
import { type Reader, readText } from "./cbor-reader.ts";
import { fail } from "./errors.ts";

/** Longest device id or user id, bytes of UTF-8. */
export const ID_LENGTH = 64;

/**
 * Sealed commands and replies are padded to a multiple of this, so that their length says
 * little. Zeros after the item, not an element of it: the head of a byte string takes one
 * byte or two, so that none fills just 25.
 */
export const PADDING_STEP = 64;

/** Highest value of the device counter: it fits into 4 bytes. */
export const LAST_DEVICE_COUNTER = 4294967295;

/** Unix seconds of the last moment of the year 9999, as in certificates. */
export const LAST_SECOND = 253402300799;

/** Ids, counters, times and padding in the contents of provisioning messages; a factory, since they are rare. */
export function createContentParts() {
  /**
   * True for UTF-8 without control characters (below U+0020, U+007F to U+009F), line
   * separators and marks of writing direction (U+2028 to U+202E, U+2066 to U+2069): an
   * id that is shown looks like what it is.
   */
  function isPrintable(text: Bytes): boolean {
    for (let i = 0; i < text.length; i++) {
      const byte = text.charCodeAt(i);
      if (byte < 0x20 || byte === 0x7f) return false;
      const next = text.charCodeAt(i + 1);
      if (byte === 0xc2 && next < 0xa0) return false;
      const last = text.charCodeAt(i + 2);
      if (byte === 0xe2 && next === 0x80 && last >= 0xa8 && last <= 0xae) return false;
      if (byte === 0xe2 && next === 0x81 && last >= 0xa6 && last <= 0xa9) return false;
    }
    return true;
  }

  function checkId(value: Bytes, what: string): Bytes {
    if (value.length < 1 || value.length > ID_LENGTH)
      fail("size", what + ", expected 1 to " + ID_LENGTH + " bytes, got " + value.length);
    if (!isPrintable(value)) fail("form", what + ", expected printable text, got other characters");
    return value;
  }

  function writeId(value: Bytes, what: string): Bytes {
    return cborText(checkId(value, what));
  }

  function readId(reader: Reader, what: string): Bytes {
    const id = readText(reader);
    return checkId(id, what);
  }

  function readDeviceCounter(reader: Reader): number {
    const counter = reader.head(UNSIGNED);
    if (counter < 1 || counter > LAST_DEVICE_COUNTER)
      fail("sequence", "device counter, expected 1 to " + LAST_DEVICE_COUNTER + ", got " + counter);
    return counter;
  }

  /** Unix seconds. */
  function readTime(reader: Reader, what: string): number {
    const time = reader.head(UNSIGNED);
    if (time > LAST_SECOND)
      fail("form", what + ", expected Unix seconds before the year 10000, got " + time);
    return time;
  }

  /** The content, and zeros after it up to the next multiple of the step. */
  function pad(content: string): Bytes {
    let padded = content;
    while (padded.length % PADDING_STEP !== 0) padded += "\0";
    return padded as Bytes;
  }

  /** Takes no padding of the content but the one that `pad` writes, and nothing after it. */
  function readPadding(reader: Reader, content: Bytes): void {
    const zeros = reader.rest();
    if (pad(content.substring(0, content.length - zeros.length)) !== content)
      fail("form", "padding, expected zeros to a multiple of " + PADDING_STEP + " bytes");
  }

  return {
    writeId: writeId,
    readId: readId,
    readDeviceCounter: readDeviceCounter,
    readTime: readTime,
    pad: pad,
    readPadding: readPadding,
  };
}
