import { fail } from "../../protocol/errors.ts";

/*
 * A strict reader of DER (X.690 section 10): definite, shortest lengths up to 65,535,
 * one-byte tags. What does not fit fails with "form".
 */

export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OID = 0x06;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;
export const CONTEXT_0 = 0xa0;
export const CONTEXT_3 = 0xa3;

/** The elements of one constructed element, taken off the front one by one. */
export interface DerReader {
  isAtEnd(): boolean;
  /** True when the next element has this tag. */
  is(tag: number): boolean;
  /** The contents of the next element, which must have this tag. */
  read(tag: number): Buffer;
  /** The same with its tag and length. */
  readWhole(tag: number): Buffer;
  /** "form" unless all is read. */
  end(): void;
}

export function readDer(input: Buffer): DerReader {
  let at = 0;

  function take(tag: number): { whole: Buffer; contents: Buffer } {
    if (input[at] !== tag) fail("form", `DER, expected tag ${tag}, got ${input[at]}`);
    const { header, length } = measure(input.subarray(at));
    const whole = input.subarray(at, at + header + length);
    if (whole.length !== header + length) fail("form", "DER, expected all of it, got less");
    at += whole.length;
    return { whole, contents: whole.subarray(header) };
  }

  return {
    isAtEnd: () => at === input.length,
    is: (tag) => input[at] === tag,
    read: (tag) => take(tag).contents,
    readWhole: (tag) => take(tag).whole,
    end() {
      if (at !== input.length) fail("form", "DER, expected its end, got more");
    },
  };
}

function measure(element: Buffer): { header: number; length: number } {
  const first = element[1] ?? fail("form", "DER, expected a length, got none");
  if (first < 0x80) return { header: 2, length: first };
  const more = first & 0x7f;
  if (more < 1 || more > 2 || element.length < 2 + more)
    fail("form", `DER, expected a length of 1 or 2 bytes, got ${more}`);
  const length = element.readUIntBE(2, more);
  if (length < (more === 1 ? 0x80 : 0x100)) fail("form", "DER, expected the shortest length");
  return { header: 2 + more, length };
}

/** An integer from 0 without its sign byte, right-aligned in `size` bytes. */
export function readUnsigned(reader: DerReader, size: number): Buffer {
  let value = reader.read(INTEGER);
  if (value.length === 0 || (value[0] as number) >= 0x80) fail("form", "integer, expected from 0");
  if (value[0] === 0 && value.length > 1) {
    if ((value[1] as number) < 0x80) fail("form", "integer, expected the shortest form");
    value = value.subarray(1);
  }
  if (value.length > size) fail("form", `integer, expected ${size} bytes, got ${value.length}`);
  return Buffer.concat([Buffer.alloc(size - value.length), value]);
}

/** Unix seconds of a time as RFC 5280 section 4.1.2.5 writes it: UTCTime until 2049. */
export function readTime(reader: DerReader): number {
  const isShort = reader.is(UTC_TIME);
  const text = reader.read(isShort ? UTC_TIME : GENERALIZED_TIME).toString("latin1");
  const year = isShort ? (Number(text.slice(0, 2)) < 50 ? "20" : "19") : "";
  const digits = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(year + text);
  if (digits === null || (!isShort && Number(digits[1]) < 2050))
    return fail("form", "time, expected one of RFC 5280, got another");
  const [y, month, day, hour, minute, second] = digits.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const milliseconds = Date.UTC(y, month - 1, day, hour, minute, second);
  // Date.UTC carries over what is no date.
  const iso = `${digits[1]}-${digits[2]}-${digits[3]}T${digits[4]}:${digits[5]}:${digits[6]}.000Z`;
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString() !== iso)
    return fail("form", "time, expected a date, got none");
  return milliseconds / 1000;
}
