import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { forgetBootOnly } from "../../../scripts/build/boot-only.mjs";

/** The functions that are deleted at the end of a script. */
function forgotten(code: string): string[] {
  const text = forgetBootOnly(code);
  expect(text.startsWith(code)).toBe(true);
  return [...text.slice(code.length).matchAll(/\ndelete (\w+);/g)].map(
    ([, name]) => name as string,
  );
}

describe("what only the boot calls is deleted at its end", () => {
  it.each([
    ["called by the script", "function a() {} a();"],
    ["called in a block of it", "function a() {} try { if (a()) a(); } catch (e) {}"],
    ["called by another that is", "function a() {} function b() { return a(); } b();"],
    ["called by two that are", "function a(n) {} function b() { a(1); } a(2); b();"],
    ["called by itself", "function a(n) { if (n) a(n - 1); } a(3);"],
    [
      "called in a step of a list",
      "function a() {} [1].forEach((n) => { [n].map((m) => a(m)); });",
    ],
    ["not called at all", "function a() {}"],
    [
      "another thing has its name",
      "function a() {} function b(o) { return o.a; } b({ a: 1 }); a();",
    ],
  ])("%s", (_what, code) => {
    const all = [...code.matchAll(/function (\w)/g)].map(([, name]) => name as string);
    expect(forgotten(code)).toEqual(all);
  });

  it.each([
    [
      "called in a function inside one that is",
      "function a() {} function b() { return () => a(); }",
    ],
    ["called in a method", "function a() {} const o = { m() { a(); } };"],
    ["handed on by the script", "function a() {} [1].map(a);"],
    ["called in a function that another method takes", "function a() {} s.on((n) => a(n));"],
    ["called in a function that a step makes", "function a() {} [1].map(() => () => a());"],
    ["called in what a list's method takes second", "function a() {} [1].map(f, () => a());"],
    ["handed on by another", "function a() {} function b(f) { b.f = f; } b(a);"],
    ["kept under another name", "function a() {} const c = a;"],
    ["made with new", "function a() {} const c = new a();"],
    ["called by one that stays", "function a() {} function b() { a(); } setTimeout(b, 1);"],
    [
      "called where another function's parameter has its name",
      "function a() {} function b(b) { b(a); } b();",
    ],
  ])("stays when %s", (_what, code) => {
    expect(forgotten(code)).not.toContain("a");
  });

  it("leaves what stays as it is", () => {
    expect(forgetBootOnly("let x = 1; x = () => x;")).toBe("let x = 1; x = () => x;");
  });

  it("changes nothing of what a script does", () => {
    const code =
      "function a(n) { return n + 1; } function b() { return () => c(2); } " +
      "function c(n) { return n * 2; } const later = b(); print(a(1)); print(later());";
    const lines: number[] = [];
    const text = forgetBootOnly(code);
    expect(forgotten(code)).toEqual(["a", "b"]);
    runInNewContext(text, { print: (line: number) => lines.push(line) });
    expect(lines).toEqual([2, 4]);
  });
});
