import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bytes, toHex } from "../../../protocol/bytes.ts";
import { createReader } from "../../../protocol/cbor-reader.ts";
import {
  createHeaders,
  nonceOf,
  parseRandomIvEncrypt0,
  parseSequencedEncrypt0,
} from "../../../protocol/cose/encrypt0.ts";
import { encodeOracle, fromBinary, hex, toBinary } from "../../support/cbor-oracle.ts";
import { codeOf } from "../../support/refusal.ts";

const headers = createHeaders();

describe("nonceOf", () => {
  it.each([
    // RFC 9052 section 3.1: the Partial IV is left-padded with zeros, then XORed.
    ["0a0b0c0d0e0f101112131415", "01", "0a0b0c0d0e0f101112131414"],
    ["0a0b0c0d0e0f101112131415", "0102", "0a0b0c0d0e0f101112131517"],
    ["ffffffffffffffffffffffff", "ffffffffff", "ffffffffffffff0000000000"],
    ["000000000000000000000000", "0100000000", "000000000000000100000000"],
    ["89f52f65a1c5809300000000", "61a7", "89f52f65a1c58093000061a7"],
  ])("%s with %s is %s", (baseIv, partialIv, nonce) => {
    expect(toHex(nonceOf(hex(baseIv), hex(partialIv)))).toBe(nonce);
  });

  it("gives different nonces for different Partial IVs", () => {
    const five = fc.uint8Array({ minLength: 5, maxLength: 5 }).map(fromBinary);
    const base = fc.uint8Array({ minLength: 12, maxLength: 12 }).map(fromBinary);
    fc.assert(
      fc.property(base, five, five, (baseIv, a, b) => {
        expect(nonceOf(baseIv, a) === nonceOf(baseIv, b)).toBe(a === b);
        expect(nonceOf(baseIv, a)).toHaveLength(12);
      }),
    );
  });
});

describe("headers", () => {
  it("are as cbor-x writes them, and read back", () => {
    for (const digits of ["01", "ff", "0100", "ffffffff"]) {
      const kid = hex(digits);
      const header = new Map<number, unknown>([
        [1, 1],
        [4, toBinary(kid)],
      ]);
      expect(headers.content(kid)).toBe(encodeOracle(header));
      expect(headers.readContent(headers.content(kid))).toBe(kid);
    }
    const iv = hex("000102030405060708090a0b");
    expect(headers.iv(iv)).toBe(encodeOracle(new Map([[5, toBinary(iv)]])));
    expect(headers.readIv(createReader(headers.iv(iv)))).toBe(iv);
  });

  it("refuse bytes after a protected header: cbor", () => {
    expect(codeOf(() => headers.readContent(`${headers.content(hex("01"))}\0` as Bytes))).toBe(
      "cbor",
    );
  });
});

describe("any bytes at all", () => {
  it("are refused with cbor, form, profile, size or sequence unless they are a message", () => {
    const reading = hex("d08348a3010104410106 4101".replace(" ", "")) as string;
    const receipt = "\xd0\x83\x46\xa2\x01\x01\x04\x41\x01\xa1\x05\x4c";
    const start = fc.constantFrom("", "\xd0", "\xd0\x83", reading, `${reading}\xa0`, receipt);
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 40 }).map(fromBinary), (head, rest) => {
        for (const parse of [parseSequencedEncrypt0, parseRandomIvEncrypt0])
          expect(["none", "cbor", "form", "profile", "size", "sequence"]).toContain(
            codeOf(() => parse((head + rest) as Bytes)),
          );
      }),
      { numRuns: 3000 },
    );
  });
});
