import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { gatherRare } from "../../../scripts/build/rare.mjs";

/** The functions that are left at the top level. */
function left(code: string): string[] {
  const context: Record<string, unknown> = {};
  runInNewContext(gatherRare(code, ["rare"]), context);
  return Object.keys(context).filter((name) => typeof context[name] === "function");
}

describe("a rare function", () => {
  it.each([
    ["takes what only it calls", "function a() {} function rare() { a(); }", ["rare"]],
    [
      "takes what only that calls",
      "function a() {} function b() { a(); } function rare() { return b; }",
      ["rare"],
    ],
    [
      "leaves what another calls too",
      "function a() {} function rare() { a(); } function c() { a(); }",
      ["a", "c", "rare"],
    ],
    [
      "leaves what the script calls",
      "function a() {} function rare() { a(); } a();",
      ["a", "rare"],
    ],
    [
      "leaves what one that stays calls",
      "function a() {} function b() { a(); } function rare() { a(); b(); } b();",
      ["a", "b", "rare"],
    ],
    ["leaves what nothing calls", "function a() {} function rare() {}", ["a", "rare"]],
    ["may be missing", "function a() {}", ["a"]],
  ])("%s", (_what, code, expected) => {
    expect(left(code).sort()).toEqual(expected);
  });

  it("does the same as before, whatever its own names hide", () => {
    const code = `
      function help(n) { return n + 1; }
      function twice(n) { return help(help(n)); }
      function rare(first, help) { return twice(first) + help; }
      result = rare(3, 10);`;
    const context = { result: 0 };
    runInNewContext(gatherRare(code, ["rare"]), context);
    expect(context.result).toBe(15);
  });
});
