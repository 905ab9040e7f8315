import { runInNewContext } from "node:vm";
import { minify } from "terser";
import { describe, expect, it } from "vitest";
import { inlineConstants } from "../../../scripts/build/constants.mjs";

/** What a script prints, and where its constants were. */
function printed(code: string): unknown[] {
  const lines: unknown[] = [];
  runInNewContext(code, { print: (line: unknown) => lines.push(line) });
  return lines;
}

describe("constants of a script are put where they are used", () => {
  it.each([
    ["a number", "const LIMIT = 16; print(LIMIT + LIMIT);"],
    [
      "0, a fraction and other spellings",
      "const A = 0; const B = 1e3; const C = 0xff; print(A+B+C);",
    ],
    ["a negative number", "const ILLEGAL = -1; print(2 - ILLEGAL);"],
    ["a number before a dot", "const SIZE = 255; print(SIZE.toString(16));"],
    ["a name made apart by rollup", "const DAY = 1; const DAY$1 = 2; print(DAY + DAY$1);"],
    [
      "a use in a function and a loop",
      "const N = 2; function f() { for (let i = 0; i < N; i++) print(N); } f();",
    ],
    ["a computed key and an index", "const AT = 1; print([5, 6][AT]); print({ 1: 7 }[AT]);"],
    [
      "a property of the same name beside it",
      "const MAX = 3; const o = { MAX: 4 }; print(o.MAX + MAX);",
    ],
    ["a string used once", 'const TEXT = "a\\x01\\n"; print(TEXT.length);'],
    ["a string of several lines", 'const TEXT = "a" + // one\n  "b" + "c"; print(TEXT.charAt(2));'],
    ["a declaration without a use", 'const GONE = 9; const WORD = "gone"; print(1);'],
  ])("%s", async (_what, code) => {
    const inlined = inlineConstants(code);
    for (const [, name] of code.matchAll(/const ([A-Z$0-9]+) =/g))
      expect(inlined).not.toContain(`const ${name}`);
    expect(printed(inlined)).toEqual(printed(code));
    const { code: small } = await minify(inlined, { compress: false });
    expect(printed(small as string)).toEqual(printed(code));
  });

  it("nothing else is touched, and the result is always the same", () => {
    const code =
      "const A = 5;\n// A comment about A.\nfunction f(x) { return x + A; }\nprint(f(A), 'A');\n";
    const inlined = inlineConstants(code);
    expect(inlined).toBe(
      "\n// A comment about A.\nfunction f(x) { return x + (5); }\nprint(f((5)), 'A');\n",
    );
    expect(inlineConstants(code)).toBe(inlined);
    expect(inlineConstants(inlined)).toBe(inlined);
  });
});

describe("left alone", () => {
  it.each([
    ["a name that is not in capitals", "const limit = 16; print(limit);"],
    ["a variable", "let LIMIT = 16; var MAX = 1; print(LIMIT + MAX);"],
    ["a constant of a function", "function f() { const LIMIT = 16; return LIMIT; } f();"],
    ["a constant of a block", "{ const LIMIT = 16; print(LIMIT); }"],
    ["two in one declaration", "const A = 1, B = 2; print(A + B);"],
    ["what has to be calculated", "const A = 2 * 4; const B = [1]; const C = !1; print(A, B, C);"],
    [
      "a template, a regular expression, true, null",
      "const A = `a`; const B = /a/; const C = true; const D = null; print(A, B, C, D);",
    ],
    ["a string used twice", 'const TEXT = "text"; print(TEXT + TEXT);'],
    ["one that a parameter shadows", "const N = 1; function f(N) { return N; } print(f(2) + N);"],
    [
      "one that an inner constant shadows",
      "const N = 1; function f() { const N = 2; return N; } print(f() + N);",
    ],
    [
      "one that a caught error shadows",
      "const N = 1; try { f(); } catch (N) { print(N); } print(N);",
    ],
    [
      "one that an inner function shadows",
      "const N = 1; function f() { function N() {} return N; } print(f, N);",
    ],
    ["one that a pattern shadows", "const N = 1; function f({ N }) { return N; } print(f, N);"],
    ["one in shorthand", "const N = 1; print({ N });"],
    ["one that is assigned to", "const N = 1; N = 2; print(N);"],
    ["one that is counted up", "const N = 1; N++; print(N);"],
    ["one that a loop assigns", "const N = 1; for (N in {}) print(N);"],
    ["one in a default parameter", "const N = 1; function f(a = N) { return a; } print(f());"],
  ])("%s", (_what, code) => {
    expect(inlineConstants(code)).toBe(code);
  });

  it("text that does not parse is an error", () => {
    expect(() => inlineConstants("const A = ;")).toThrow();
  });
});
