import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import { createSenmlMaker, MAX_RECORDS, parseSenml } from "../../protocol/senml.ts";
import { decodeOracle, encodeOracle, fromBinary, hex, Tag } from "../support/cbor-oracle.ts";
import { codeOf } from "../support/refusal.ts";

const quantities = [
  { name: "temperature", unit: "Cel", exponent: -2 },
  { name: "humidity", unit: "%RH", exponent: -1 },
  { name: "free", unit: "B", exponent: 0 },
];
const make = createSenmlMaker(quantities);
const dated = { time: 1_800_000_000, uptime: 12 };
const undated = { time: undefined, uptime: 12 };

/** A record from labels and values in turn. */
function record(...fields: unknown[]): Map<number, unknown> {
  const labels = fields.filter((_, i) => i % 2 === 0) as number[];
  return new Map(labels.map((label, i) => [label, fields[2 * i + 1]]));
}

describe("a pack", () => {
  it("is, dated, these bytes and no more", () => {
    expect(
      toHex(createSenmlMaker([{ name: "t", unit: "Cel", exponent: -2 }])([2731], dated, 0)),
    ).toBe("81a400617401634365" + "6c02c48221190aab221a6b49d200");
  });

  it("is what cbor-x reads: names, units, numbers, the base time in the first record", () => {
    const pack = decodeOracle(make([-2731, 405, 68000], dated, 0)) as Map<number, unknown>[];
    expect(pack).toEqual([
      record(0, "temperature", 1, "Cel", 2, expect.closeTo(-27.31, 9), -3, dated.time),
      record(0, "humidity", 1, "%RH", 2, expect.closeTo(40.5, 9)),
      record(0, "free", 1, "B", 2, 68000),
    ]);
  });

  it("counts seconds since boot while there is no time, and drops where there are any", () => {
    const pack = decodeOracle(make([0, 0, 0], undated, 3)) as Map<number, unknown>[];
    expect(pack.slice(3)).toEqual([
      record(0, "uptime", 1, "s", 2, 12),
      record(0, "dropped", 1, "count", 2, 3),
    ]);
    expect(decodeOracle(make([0, 0, 0], dated, 3))).toHaveLength(4);
    expect(decodeOracle(make([0, 0, 0], dated, 0))).toHaveLength(3);
  });

  it("is read back with the base time in every record", () => {
    expect(parseSenml(make([-2731, 405, 68000], dated, 7))).toEqual([
      { name: "temperature", unit: "Cel", value: -27.31, time: dated.time },
      { name: "humidity", unit: "%RH", value: 40.5, time: dated.time },
      { name: "free", unit: "B", value: 68000, time: dated.time },
      { name: "dropped", unit: "count", value: 7, time: dated.time },
    ]);
    const times = parseSenml(make([1, 2, 3], undated, 0)).map(({ time }) => time);
    expect(times).toEqual([undefined, undefined, undefined, undefined]);
  });

  it("may hold booleans, and records without a unit", () => {
    const pack = encodeOracle([
      record(0, "open", 4, true, -3, 1800000000),
      record(0, "closed", 1, "/", 4, false),
      record(0, "n", 2, -7),
      record(0, Buffer.from("\u00fc", "utf8").toString(), 2, 0),
    ]);
    expect(parseSenml(pack)).toEqual([
      { name: "open", unit: undefined, value: true, time: 1800000000 },
      { name: "closed", unit: "/", value: false, time: 1800000000 },
      { name: "n", unit: undefined, value: -7, time: 1800000000 },
      {
        name: fromBinary(Buffer.from("\u00fc", "utf8")),
        unit: undefined,
        value: 0,
        time: 1800000000,
      },
    ]);
  });
});

describe("a number", () => {
  const parse = (number: Bytes) =>
    parseSenml(`\x81\xa2\x00\x61n\x02${number}` as Bytes)[0]?.value as number;
  const packOf = (mantissa: number, exponent: number) =>
    createSenmlMaker([{ name: "n", unit: "1", exponent }])([mantissa], dated, 0);

  it("is the double nearest to mantissa times 10^exponent", () => {
    const exponents = fc.integer({ min: -18, max: 18 });
    fc.assert(
      fc.property(fc.maxSafeInteger(), exponents, (mantissa, exponent) => {
        const value = parseSenml(packOf(mantissa, exponent))[0]?.value;
        expect(value).toBe(Number(`${mantissa}e${exponent}`));
      }),
      { numRuns: 2000 },
    );
  });

  it("is an integer as cbor-x writes it, or tag 4 of two", () => {
    const whole = (number: string) =>
      `\x81\xa4\x00\x61n\x01\x611\x02${number}\x22${encodeOracle(dated.time)}`;
    expect(packOf(-7, 0)).toBe(whole(encodeOracle(-7)));
    expect(packOf(27315, -2)).toBe(whole(encodeOracle(new Tag([-2, 27315], 4))));
  });

  it.each([
    ["a double", "fb403b4f5c28f5c28f", "form"],
    ["a half float", "f93c00", "form"],
    ["null", "f6", "form"],
    ["text", "6132", "form"],
    ["a bignum", "c249010000000000000000", "form"],
    ["a bigfloat", "c5822003", "form"],
    ["a fraction of one part", "c48120", "profile"],
    ["a fraction of three", "c483200101", "profile"],
    ["exponent 0", "c4820001", "form"],
    ["exponent 19", "c4821301", "form"],
    ["exponent -19", "c4823201", "form"],
    ["a bignum mantissa", "c48220c24101", "form"],
    ["a mantissa beyond 2^53", "c482201b0020000000000000", "cbor"],
    ["a nested fraction", "c48220c4822001", "form"],
    ["an exponent that is not the shortest", "c482380101", "cbor"],
  ])("as %s is refused", (_name, digits, code) => {
    expect(codeOf(() => parse(hex(digits)))).toBe(code);
  });
});

const good = record(0, "n", 2, 1);

describe("refusals", () => {
  it.each<[name: string, code: string, pack: unknown]>([
    ["no array", "form", good],
    ["an empty pack", "size", []],
    ["17 records", "size", Array(MAX_RECORDS + 1).fill(good)],
    ["a record that is no map", "form", [[0, "n", 2, 1]]],
    ["an empty record", "profile", [new Map()]],
    ["no name", "profile", [record(1, "Cel", 2, 1)]],
    ["a name that is a number", "form", [record(0, 1, 2, 1)]],
    ["no value", "form", [record(0, "n", 1, "Cel", 6, 0)]],
    ["a name alone", "cbor", [record(0, "n")]],
    ["a text value", "form", [record(0, "n", 3, "x")]],
    ["a data value", "form", [record(0, "n", 8, Buffer.alloc(1))]],
    ["a sum", "profile", [record(0, "n", 2, 1, 5, 1)]],
    ["two values", "profile", [record(0, "n", 2, 1, 4, true)]],
    ["the value before the name", "profile", [record(2, 1, 0, "n")]],
    ["the value before the unit", "profile", [record(0, "n", 2, 1, 1, "Cel")]],
    ["a base name", "profile", [record(-2, "urn:x:", 0, "n", 2, 1)]],
    ["a base time first", "profile", [record(-3, 5, 0, "n", 2, 1)]],
    ["a base time in the second", "form", [good, record(0, "n", 2, 1, -3, 5)]],
    ["a base time relative to now", "form", [record(0, "n", 2, 1, -3, 268435455)]],
    ["a base time past the year 9999", "form", [record(0, "n", 2, 1, -3, 253402300800)]],
    ["a base time in floating point", "form", [record(0, "n", 2, 1, -3, 5.5)]],
    ["a time of its own", "profile", [record(0, "n", 2, 1, 6, 5)]],
    ["a value that is a boolean at 2", "form", [record(0, "n", 2, true)]],
    ["a number at 4", "form", [record(0, "n", 4, 1)]],
    ["a map for a value", "form", [record(0, "n", 2, new Map())]],
  ])("%s: %s", (_name, code, pack) => {
    expect(codeOf(() => parseSenml(encodeOracle(pack)))).toBe(code);
  });

  it.each([
    ["the name twice", "81a200616e00616e", "form"],
    ["an indefinite pack", "9fa200616e0201ff", "cbor"],
    ["an indefinite record", "81bf00616e0201ff", "cbor"],
    ["a name that is no UTF-8", "81a20061ff0201", "cbor"],
    ["bytes after the pack", "81a200616e020100", "cbor"],
    ["a count too high", "82a200616e0201", "cbor"],
    ["nothing", "", "cbor"],
  ])("%s", (_name, digits, code) => {
    expect(codeOf(() => parseSenml(hex(digits)))).toBe(code);
  });

  it("refuses every truncation", () => {
    const pack = make([-2731, 405, 68000], dated, 7);
    for (let length = 0; length < pack.length; length++)
      expect(["cbor", "form", "profile"]).toContain(
        codeOf(() => parseSenml(pack.slice(0, length) as Bytes)),
      );
  });

  it("reads any bytes or refuses them with a code of its own", () => {
    const noise = fc.uint8Array({ maxLength: 40 }).map(fromBinary);
    const pack = make([-2731, 405, 68000], dated, 7);
    const nearMiss = fc
      .tuple(fc.nat(pack.length), fc.uint8Array({ maxLength: 4 }), fc.nat(6))
      .map(
        ([at, put, cut]) => (pack.slice(0, at) + fromBinary(put) + pack.slice(at + cut)) as Bytes,
      );
    fc.assert(
      fc.property(fc.oneof(noise, nearMiss), (payload) => {
        expect(["none", "cbor", "form", "profile", "size"]).toContain(
          codeOf(() => parseSenml(payload)),
        );
      }),
      { numRuns: 3000 },
    );
  });
});
