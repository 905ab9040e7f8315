import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readTree } from "../../../scripts/inspect/cbor-tree.ts";
import { diagnose, printItem } from "../../../scripts/inspect/diagnostic.ts";
import { encodeOracle, fromBinary, hex } from "../../support/cbor-oracle.ts";
import { codeOf } from "../../support/refusal.ts";

describe("diagnostic notation", () => {
  it.each([
    ["00", "0"],
    ["3903e7", "-1000"],
    ["1bffffffffffffffff", "18446744073709551615"],
    ["3bffffffffffffffff", "-18446744073709551616"],
    ["f4", "false"],
    ["f6", "null"],
    ["f7", "undefined"],
    ["f0", "simple(16)"],
    ["f8ff", "simple(255)"],
    ["f98000", "-0.0_1"],
    ["f93e00", "1.5_1"],
    ["f90001", "5.960464477539063e-8_1"],
    ["f97c00", "Infinity_1"],
    ["f97e00", "NaN_1"],
    ["fa47c35000", "100000.0_2"],
    ["fb3ff199999999999a", "1.1_3"],
    ["4401020304", "h'01020304'"],
    ["62225c", '"\\"\\\\"'],
    ["63e6b0b4", '"\u6c34"'],
    ["c11a514b67b0", "1(1363896240)"],
    ["d818456449455446", "24(h'6449455446')"],
    ["83 01 820203 820405", "[1, [2, 3], [4, 5]]"],
    ["a2 6161 01 6162 820203", '{"a": 1, "b": [2, 3]}'],
    ["5f 42 0102 43 030405 ff", "(_ h'0102', h'030405')"],
    ["7f 6161 6162 ff", '(_ "a", "b")'],
    ["9f 01 820203 9f0405ff ff", "[_ 1, [2, 3], [_ 4, 5]]"],
    ["bf 6146 f5 ff", '{_ "F": true}'],
    ["1800", "0_0"],
    ["9801 00", "[_0 0]"],
    ["d90001 00", "1_1(0)"],
    ["64 1b5b324a", '"\\u001b[2J"'],
    ["63 e280ae", '"\\u{202e}"'],
  ])("of %s is %s", (digits, shown) => {
    expect(diagnose(hex(digits))).toBe(shown);
  });

  it("shortens byte strings unless it is asked not to", () => {
    const { item } = readTree(hex(`5821${"ab".repeat(33)}`));
    expect(printItem(item, false)).toBe(`h'${"ab".repeat(12)}...${"ab".repeat(4)}' / 33 bytes /`);
    expect(printItem(item, true).replaceAll(/\s/g, "")).toBe(`h'${"ab".repeat(33)}'`);
  });

  it("leaves byte strings closed that hold no CBOR", () => {
    expect(diagnose(hex("d08341ffa040"))).toBe("16([\n  h'ff',\n  {},\n  h''\n])");
  });

  it("opens messages within messages only so far", () => {
    let message = hex("d08340a040");
    for (let i = 0; i < 2000; i++)
      message = fromBinary(
        Buffer.concat([
          Buffer.from([0xd2, 0x84, 0x40, 0xa0, 0x59, message.length >> 8, message.length & 255]),
          Buffer.from(message, "latin1"),
          Buffer.from([0x40]),
        ]),
      );
    expect(diagnose(message).match(/18\(/g)).toHaveLength(5);
  });
});

describe("readTree", () => {
  it.each([
    ["", /byte 0/],
    ["18", /byte 0, expected 1 more/],
    ["4401", /byte 0, expected 4 more bytes, got 1/],
    ["5bffffffffffffffff00", /expected 18446744073709551615 more bytes/],
    ["9bffffffffffffffff00", /expected 1 more bytes, got 0/],
    ["0000", /byte 1, expected the end, got 1/],
    ["1c", /byte 0/],
    ["1f", /definite/],
    ["df00", /definite/],
    ["ff", /break/],
    ["81ff", /byte 1.*break/],
    ["5f 01 ff", /piece/],
    ["5f 5f ff ff", /piece/],
    ["61ff", /UTF-8/],
    ["f818", /simple/],
    ["81".repeat(40), /levels/],
    ["9f".repeat(40_000), /levels/],
    ["d8".repeat(2) + "c1".repeat(40), /levels/],
  ])("refuses %s with the place", (digits, problem) => {
    const read = () => readTree(hex(digits));
    expect(codeOf(read)).toBe("cbor");
    expect(read).toThrow(problem);
  });

  it.each([
    ["1817", "byte 0: not the shortest form"],
    ["82 00 190001", "byte 2: not the shortest form"],
    ["9fff", "byte 0: an indefinite length"],
    ["a2 01 00 00 00", "byte 3: keys out of order"],
    ["a2 01 00 01 00", "byte 3: a key twice"],
    ["a2 01 00 02 00", undefined],
  ])("says where %s is not deterministic", (digits, loose) => {
    expect(readTree(hex(digits)).loose).toBe(loose);
  });

  it("takes what another encoder writes, and finds it deterministic", () => {
    const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.uint8Array());
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ depthSize: "small" }, leaf, fc.array(tie("tree"), { maxLength: 30 })),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const bytes = encodeOracle(value);
        expect(readTree(bytes).loose).toBeUndefined();
        expect(diagnose(bytes)).not.toBe("");
      }),
    );
  });

  it("ends with a tree that prints or with cbor, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
        const bytes = fromBinary(Buffer.from(random));
        const code = codeOf(() => diagnose(bytes));
        expect(["cbor", "none"]).toContain(code);
      }),
      { numRuns: 2000 },
    );
  });
});
