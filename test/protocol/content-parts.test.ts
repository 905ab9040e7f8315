import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import { createReader } from "../../protocol/cbor-reader.ts";
import {
  createContentParts,
  LAST_DEVICE_COUNTER,
  LAST_SECOND,
  PADDING_STEP,
} from "../../protocol/content-parts.ts";
import { encodeOracle, fromBinary } from "../support/cbor-oracle.ts";
import { padOracle, text } from "../support/provisioning-builder.ts";
import { codeOf } from "../support/refusal.ts";

const parts = createContentParts();
/** A reader of the content behind its first bytes. */
function readerOf(content: Bytes, at = 0) {
  const reader = createReader(content);
  reader.take(at);
  return reader;
}

describe("an id", () => {
  it.each(["a", "x".repeat(64), "Ann Lee", "äöü", "日本", "a\u00a0b", "🚿", "\u2027\u202f"])(
    "%j is written as text and read back",
    (id) => {
      const written = parts.writeId(text(id), "id");
      expect(written).toBe(encodeOracle(id));
      expect(parts.readId(readerOf(written), "id")).toBe(text(id));
    },
  );

  it.each([
    ["", "size"],
    ["x".repeat(65), "size"],
    ["ü".repeat(33), "size"],
    ["a\0", "form"],
    ["a\nb", "form"],
    ["\x1b[2J", "form"],
    ["\x7f", "form"],
    ["a\u0085", "form"],
    ["a\u009fb", "form"],
    ["a\u2028b", "form"],
    ["a\u202eb", "form"],
    ["\u2066a", "form"],
    ["\u2069", "form"],
  ])("%j is neither written nor read: %s", (id, code) => {
    expect(codeOf(() => parts.writeId(text(id), "id"))).toBe(code);
    expect(codeOf(() => parts.readId(readerOf(encodeOracle(id)), "id"))).toBe(code);
  });

  it("is text of UTF-8, not bytes", () => {
    expect(codeOf(() => parts.readId(readerOf(bytes("\x41a")), "id"))).toBe("form");
    expect(codeOf(() => parts.readId(readerOf(bytes("\x61\xff")), "id"))).toBe("cbor");
  });
});

describe("numbers", () => {
  it("of the device counter are from 1 to 2^32 - 1", () => {
    const read = (value: unknown) =>
      codeOf(() => parts.readDeviceCounter(readerOf(encodeOracle(value))));
    expect([1, LAST_DEVICE_COUNTER].map(read)).toEqual(["none", "none"]);
    expect(read(0)).toBe("sequence");
    expect(read(2n ** 32n)).toBe("sequence");
    expect(read(-1)).toBe("form");
  });

  it("of a time end with the year 9999", () => {
    const read = (value: bigint) =>
      codeOf(() => parts.readTime(readerOf(encodeOracle(value)), "time"));
    expect(read(BigInt(LAST_SECOND))).toBe("none");
    expect(read(BigInt(LAST_SECOND) + 1n)).toBe("form");
    expect(new Date(LAST_SECOND * 1000).toISOString()).toBe("9999-12-31T23:59:59.000Z");
  });
});

describe("padding", () => {
  it("fills any content to the next multiple of 64", () => {
    for (let length = 0; length < 200; length++) {
      const value = Buffer.alloc(length, 7);
      const content = encodeOracle(value);
      const padded = parts.pad(content);
      expect(padded).toBe(fromBinary(padOracle(value)));
      expect(padded.length - content.length).toBeLessThan(PADDING_STEP);
      const reader = readerOf(padded, content.length);
      expect(codeOf(() => parts.readPadding(reader, padded))).toBe("none");
    }
  });

  it("is refused when it is other, longer, cut, or followed", () => {
    const content = fc.uint8Array({ maxLength: 200 }).map(fromBinary);
    const zeros = fc.nat(200).map((length) => "\0".repeat(length));
    const other = fc.oneof(fc.uint8Array({ maxLength: 160 }).map(fromBinary), zeros);
    fc.assert(
      fc.property(content, other, (value, wrong) => {
        fc.pre(wrong !== parts.pad(value).slice(value.length));
        const padded = (value + wrong) as Bytes;
        const reader = readerOf(padded, value.length);
        expect(codeOf(() => parts.readPadding(reader, padded))).toBe("form");
      }),
    );
  });
});
