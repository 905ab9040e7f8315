import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Bytes,
  bytes,
  equalBytes,
  fromBigEndian,
  fromHex,
  toBigEndian,
  toHex,
} from "../../protocol/bytes.ts";
import { toBinary } from "../support/cbor-oracle.ts";

const anyBytes = fc
  .uint8Array({ maxLength: 40 })
  .map((array) => Buffer.from(array).toString("latin1") as Bytes);

describe("toHex and fromHex", () => {
  it("agree with Buffer for any bytes, and turn each other round", () => {
    fc.assert(
      fc.property(anyBytes, (value) => {
        expect(toHex(value)).toBe(toBinary(value).toString("hex"));
        expect(fromHex(toHex(value))).toBe(value);
        expect(fromHex(toHex(value).toUpperCase())).toBe(value);
      }),
    );
  });

  it.each(["0", "abc", "0g", "0x00", " 00", "00 ", "0\n0", "-1", "é0", "00\n"])(
    "fromHex gives undefined for %j",
    (text) => {
      expect(fromHex(text)).toBeUndefined();
    },
  );
});

describe("toBigEndian and fromBigEndian", () => {
  it.each([
    [0, "00"],
    [1, "01"],
    [255, "ff"],
    [256, "0100"],
    [65535, "ffff"],
    [65536, "010000"],
    [2 ** 31, "80000000"],
    [2 ** 32 - 1, "ffffffff"],
    [2 ** 32, "0100000000"],
    [2 ** 40 - 1, "ffffffffff"],
  ])("%i is %s", (number, digits) => {
    expect(toHex(toBigEndian(number))).toBe(digits);
    expect(fromBigEndian(toBigEndian(number))).toBe(number);
  });

  it("is the shortest form: no leading zero above 0", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 - 1 }), (number) => {
        expect(toBigEndian(number).charCodeAt(0)).toBeGreaterThan(0);
        expect(fromBigEndian(toBigEndian(number))).toBe(number);
      }),
    );
  });
});

describe("equalBytes", () => {
  it("is equality, of lengths too", () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, (a, b) => {
        expect(equalBytes(a, b)).toBe(a === b);
        expect(equalBytes(a, bytes(a.slice()))).toBe(true);
        expect(equalBytes(a, `${a}\0` as Bytes)).toBe(false);
      }),
    );
  });

  it("sees a difference in any single byte", () => {
    const value = bytes("0123456789abcdef");
    for (let i = 0; i < value.length; i++)
      expect(equalBytes(value, `${value.slice(0, i)}\xff${value.slice(i + 1)}` as Bytes)).toBe(
        false,
      );
  });
});
