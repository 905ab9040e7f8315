import { describe, expect, it } from "vitest";
import { formatHits, gate, RULES } from "../../../scripts/build/gate.mjs";
import { nameCases } from "./gate/name-cases.ts";
import { syntaxCases } from "./gate/syntax-cases.ts";

const cases = [...syntaxCases, ...nameCases];

/** The bundle's own shape: one function that runs at once. */
const wrapped = (text: string) => `(function(){${text}\n})();`;

const rulesOf = (code: string) => gate(code).map(({ rule }) => rule);

describe("the gate", () => {
  it.each(cases)("%s refuses %s and passes %s", (rule, refused, nearMiss) => {
    expect(rulesOf(refused)).toContain(rule);
    expect(gate(nearMiss)).toEqual([]);
  });

  it.each(cases.filter(([, refused]) => !/^(?:import|export)\b/.test(refused)))(
    "%s holds inside a function as well: %s",
    (rule, refused, nearMiss) => {
      expect(rulesOf(wrapped(refused))).toContain(rule);
      expect(gate(wrapped(nearMiss))).toEqual([]);
    },
  );

  it("has a case for every rule", () => {
    const tested = new Set(cases.map(([rule]) => rule));
    expect(RULES.filter((rule) => !tested.has(rule))).toEqual([]);
  });

  it("says where, once for each hit, in source order", () => {
    const hits = gate("const a=[1];\nprint(a?.b);print(2**3);print(2**4);");
    expect(hits.map(({ rule, line, column }) => [rule, line, column])).toEqual([
      ["optional-chaining", 2, 7],
      ["exponent", 2, 19],
      ["exponent", 2, 31],
    ]);
    const [first = ""] = formatHits("bundle.js", hits).split("\n");
    expect(first).toContain("bundle.js:2:7: optional-chaining: a?.b);print(2**3)");
  });

  it("passes the empty text", () => {
    expect(gate("")).toEqual([]);
  });
});
