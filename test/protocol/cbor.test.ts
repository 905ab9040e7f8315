import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bytes, bytes, toHex } from "../../protocol/bytes.ts";
import {
  ARRAY,
  BYTE_STRING,
  cborBytes,
  cborHead,
  cborInt,
  cborText,
  MAP,
  NEGATIVE,
  TAG,
  TEXT,
  UNSIGNED,
} from "../../protocol/cbor.ts";
import {
  createReader,
  type Reader,
  readBoolean,
  readInt,
  readText,
} from "../../protocol/cbor-reader.ts";
import { type Item, readAny, writeAny } from "../support/cbor-any.ts";
import { encodeOracle, fromBinary, hex } from "../support/cbor-oracle.ts";
import { codeOf } from "../support/refusal.ts";
import { readVectors } from "../support/vectors.ts";

const utf8 = (text: string) => Buffer.from(text, "utf8").toString("latin1");

/** Values of RFC 8949 appendix A, and the steps between the forms of a head. */
const TABLE: [digits: string, meaning: Item][] = [
  ["00", { int: 0 }],
  ["01", { int: 1 }],
  ["0a", { int: 10 }],
  ["17", { int: 23 }],
  ["1818", { int: 24 }],
  ["1864", { int: 100 }],
  ["18ff", { int: 255 }],
  ["190100", { int: 256 }],
  ["1903e8", { int: 1000 }],
  ["19ffff", { int: 65535 }],
  ["1a00010000", { int: 65536 }],
  ["1a000f4240", { int: 1000000 }],
  ["1a7fffffff", { int: 2 ** 31 - 1 }],
  ["1a80000000", { int: 2 ** 31 }],
  ["1affffffff", { int: 2 ** 32 - 1 }],
  ["1b0000000100000000", { int: 2 ** 32 }],
  ["1b000000e8d4a51000", { int: 1000000000000 }],
  ["1b001fffffffffffff", { int: 2 ** 53 - 1 }],
  ["20", { int: -1 }],
  ["29", { int: -10 }],
  ["3863", { int: -100 }],
  ["3903e7", { int: -1000 }],
  ["3b001ffffffffffffe", { int: -(2 ** 53 - 1) }],
  ["3b001fffffffffffff", { int: -(2 ** 53) }],
  ["40", { bytes: bytes("") }],
  ["4401020304", { bytes: bytes("\x01\x02\x03\x04") }],
  ["60", { text: "" }],
  ["6449455446", { text: "IETF" }],
  ["62225c", { text: '"\\' }],
  ["62c3bc", { text: utf8("\u00fc") }],
  ["63e6b0b4", { text: utf8("\u6c34") }],
  ["64f0908591", { text: utf8("\u{10151}") }],
  ["80", { array: [] }],
  ["83010203", { array: [{ int: 1 }, { int: 2 }, { int: 3 }] }],
  ["8301820203820405", { array: [{ int: 1 }, ints(2, 3), ints(4, 5)] }],
  ["a0", { map: [] }],
  [
    "a201020304",
    {
      map: [
        [{ int: 1 }, { int: 2 }],
        [{ int: 3 }, { int: 4 }],
      ],
    },
  ],
  ["d74401020304", { tag: 23, of: { bytes: bytes("\x01\x02\x03\x04") } }],
  ["c48221196ab3", { tag: 4, of: ints(-2, 27315) }],
  ["f4", { boolean: false }],
  ["f5", { boolean: true }],
];

function ints(...values: number[]): Item {
  return { array: values.map((int) => ({ int })) };
}

describe("the table of values", () => {
  it.each(TABLE)("%s is read and written the same", (digits, meaning) => {
    expect(readAny(hex(digits))).toEqual(meaning);
    expect(toHex(writeAny(meaning))).toBe(digits);
  });

  it.each(TABLE)("%s is refused cut off anywhere, and with a byte more: cbor", (digits) => {
    const whole = hex(digits);
    for (let length = 0; length < whole.length; length++)
      expect(codeOf(() => readAny(whole.slice(0, length) as Bytes))).toBe("cbor");
    expect(codeOf(() => readAny(`${whole}\0` as Bytes))).toBe("cbor");
  });
});

describe("refusals", () => {
  it.each([UNSIGNED, NEGATIVE, BYTE_STRING, TEXT, ARRAY, MAP, TAG])(
    "major type %i: a head that is not the shortest, or without a length, is cbor",
    (major) => {
      const forms = ["1800", "1817", "190000", "1900ff", "1a00000000", "1a0000ffff"];
      forms.push("1b0000000000000000", "1b00000000ffffffff", "1c", "1d", "1e", "1f");
      // 2^53, the next double, and the largest: none of them an exact integer for sure.
      forms.push("1b0020000000000000", "1b0020000000000001", "1bffffffffffffffff");
      for (const form of forms) {
        const first = parseInt(form.slice(0, 2), 16) | (major << 5);
        const head = hex(first.toString(16).padStart(2, "0") + form.slice(2));
        expect(codeOf(() => createReader(head).head(major))).toBe("cbor");
      }
    },
  );

  it("refuses a length beyond the message without taking memory for it", () => {
    for (const length of ["5818", "5a7fffffff", "5affffffff", "5b001fffffffffffff"]) {
      expect(codeOf(() => createReader(hex(length)).bytes())).toBe("cbor");
      const text = hex(length.replace(/^5/, "7"));
      expect(codeOf(() => readText(createReader(text)))).toBe("cbor");
    }
  });

  it.each([
    ["null", "f6"],
    ["undefined", "f7"],
    ["a simple value", "f0"],
    ["a simple value of two bytes", "f8ff"],
    ["a half float", "f93c00"],
    ["a single float", "fa47c35000"],
    ["a double", "fb3ff199999999999a"],
    ["NaN", "f97e00"],
    ["a break", "ff"],
  ])("%s is of no type of the profile: form", (_name, digits) => {
    const value = hex(digits);
    const readBytes = (reader: Reader) => reader.bytes();
    for (const read of [readInt, readBytes, readText, readBoolean])
      expect(codeOf(() => read(createReader(value)))).toBe("form");
    expect(codeOf(() => readAny(value))).toBe("form");
  });

  it.each([
    ["an indefinite byte string", "5f42010243030405ff"],
    ["an indefinite text", "7f657374726561646d696e67ff"],
    ["an indefinite array", "9f0102ff"],
    ["an indefinite map", "bf0102ff"],
  ])("%s: cbor", (_name, digits) => {
    expect(codeOf(() => readAny(hex(digits)))).toBe("cbor");
  });

  it("refuses another type than the one asked for: form", () => {
    expect(codeOf(() => readInt(createReader(hex("40"))))).toBe("form");
    expect(codeOf(() => createReader(hex("60")).bytes())).toBe("form");
    expect(codeOf(() => readText(createReader(hex("40"))))).toBe("form");
    expect(codeOf(() => createReader(hex("a0")).head(ARRAY))).toBe("form");
    expect(codeOf(() => readBoolean(createReader(hex("01"))))).toBe("form");
  });

  it("refuses other lengths, other bytes and more of them", () => {
    expect(codeOf(() => createReader(hex("420102")).bytesOf(3))).toBe("size");
    expect(createReader(hex("420102")).bytesOf(2)).toBe("\x01\x02");
    expect(codeOf(() => createReader(hex("01")).exactly("\x02", "thing"))).toBe("profile");
    expect(codeOf(() => createReader(hex("01")).exactly("\x01\x02", "thing"))).toBe("profile");
    expect(codeOf(() => createReader(hex("01")).end())).toBe("cbor");
  });
});

describe("text", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const isText = (value: Uint8Array) => codeOf(() => decoder.decode(value)) === "none";

  it.each([
    ["a lone continuation byte", "80"],
    ["an overlong slash", "c0af"],
    ["a sequence cut off", "e282"],
    ["an overlong three-byte form", "e09fbf"],
    ["a surrogate", "eda080"],
    ["an overlong four-byte form", "f08fbfbf"],
    ["above U+10FFFF", "f4908080"],
    ["a byte that never occurs", "ff"],
  ])("%s is refused: cbor", (_name, digits) => {
    expect(codeOf(() => readText(createReader(cborText(hex(digits)))))).toBe("cbor");
  });

  it("is refused exactly where the platform's decoder refuses it", () => {
    const nearText = fc.array(
      fc.oneof(
        fc.constantFrom(0x7f, 0x80, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5),
        fc.integer({ min: 0, max: 255 }),
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(nearText, (codes) => {
        const value = Uint8Array.from(codes);
        const code = codeOf(() => readText(createReader(cborText(fromBinary(value)))));
        expect(code).toBe(isText(value) ? "none" : "cbor");
      }),
      { numRuns: 3000 },
    );
  });
});

describe("the writer", () => {
  it("writes what cbor-x writes", () => {
    const integer = fc.oneof(
      fc.maxSafeInteger(),
      fc.integer({ min: -70000, max: 70000 }),
      fc.constantFrom(2 ** 32, 2 ** 32 - 1, -(2 ** 32), -(2 ** 32) - 1),
    );
    const isLong = (int: number) => int > 2 ** 32 - 1 || int < -(2 ** 32);
    fc.assert(
      fc.property(integer, fc.uint8Array({ maxLength: 300 }), fc.string(), (int, array, text) => {
        // cbor-x writes integers above 32 bits as floating point unless they are BigInt.
        expect(cborInt(int)).toBe(encodeOracle(isLong(int) ? BigInt(int) : int));
        expect(cborBytes(fromBinary(array))).toBe(encodeOracle(Buffer.from(array)));
        const wellFormed = Buffer.from(text, "utf8");
        expect(cborText(fromBinary(wellFormed))).toBe(encodeOracle(wellFormed.toString("utf8")));
      }),
    );
  });

  it("writes heads that the reader takes, of every major type", () => {
    const majors = [UNSIGNED, NEGATIVE, BYTE_STRING, TEXT, ARRAY, MAP, TAG];
    fc.assert(
      fc.property(fc.constantFrom(...majors), fc.maxSafeNat(), (major, value) => {
        expect(createReader(cborHead(major, value)).head(major)).toBe(value);
      }),
    );
  });
});

describe("any bytes at all", () => {
  it("are read whole, and written back the same, or refused with cbor or form", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (array) => {
        const value = fromBinary(array);
        const code = codeOf(() => readAny(value));
        expect(["none", "cbor", "form"]).toContain(code);
        if (code === "none") expect(writeAny(readAny(value))).toBe(value);
      }),
      { numRuns: 5000 },
    );
  });
});

interface Vector {
  hex: string;
  roundtrip: boolean;
}

const [appendixA] = readVectors<Vector[]>("cbor");

describe.skipIf(appendixA === undefined)("RFC 8949 appendix A (skipped without VECTORS)", () => {
  const vectors = appendixA?.[1] ?? [];
  /** Not deterministic, floating point and simple values, integers above 2^53. */
  const isOutside = ({ hex: digits, roundtrip }: Vector) =>
    !roundtrip || /^(f[^45]|c1fb|[13]bffff)/.test(digits);

  it("round-trips everything of the profile's types", () => {
    const inside = vectors.filter((vector) => !isOutside(vector));
    expect(inside.length).toBeGreaterThan(30);
    for (const vector of inside) expect(toHex(writeAny(readAny(hex(vector.hex))))).toBe(vector.hex);
  });

  it("refuses everything else with cbor or form", () => {
    const outside = vectors.filter(isOutside);
    expect(outside.length).toBeGreaterThan(30);
    for (const vector of outside)
      expect([vector.hex, codeOf(() => readAny(hex(vector.hex)))]).toEqual([
        vector.hex,
        expect.stringMatching(/^(cbor|form)$/),
      ]);
  });
});

describe("a counter", () => {
  const read = (digits: string, longest: number) =>
    createReader(cborBytes(hex(digits))).counter(longest, "counter");

  it.each(["01", "ff", "0100", "80000000", "ffffffff"])("takes %s", (digits) => {
    expect(toHex(read(digits, 4))).toBe(digits);
  });

  it.each(["", "00", "0001", "0000000001", "0100000000"])("refuses %j: sequence", (digits) => {
    expect(codeOf(() => read(digits, 4))).toBe("sequence");
  });
});
