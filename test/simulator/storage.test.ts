import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { printed } from "./harness.ts";

const root = mkdtempSync(join(tmpdir(), "storage-"));
afterAll(() => rmSync(root, { recursive: true }));

const s = `var s = require("Storage");`;

describe.each([
  ["memory", () => new Map<string, string>()],
  ["a directory", () => mkdtempSync(join(root, "board-"))],
])("Storage in %s", (_, make) => {
  it("keeps bytes over a power cycle", () => {
    const storage = make();
    printed(`${s} print(s.write("a/../b", "\\x00\\xff\\x80")); s.write("..", [1, 2])`, { storage });
    const bundle = `${s} var t = s.read("a/../b");
      print(t.length, t.charCodeAt(0), t.charCodeAt(1), t.charCodeAt(2), s.read("..").length);
      print(s.read("a/../b", 1, 1).charCodeAt(0), s.read("none"), s.list().length)`;
    expect(printed(bundle, { storage })).toEqual(["3 0 255 128 2", "255 undefined 2"]);
  });

  it("cuts names at 28 characters", () => {
    const bundle = `${s} s.write("12345678901234567890123456789", "x"); print(s.list()[0].length,
      s.read("1234567890123456789012345678"))`;
    expect(printed(bundle, { storage: make() })).toEqual(["28 x"]);
  });

  it("fills a file in pieces, each byte once", () => {
    const bundle = `${s} s.write("c", "ab", 0, 4); print(s.read("c").charCodeAt(3));
      s.write("c", "cd", 2); print(s.read("c")); try { s.write("c", "z", 1) } catch (e) { print(e.message) }
      try { s.write("c", "zz", 3) } catch (e) { print(e.message) }
      try { s.write("none", "z", 1) } catch (e) { print(e.message) }
      try { s.write("c", "") } catch (e) { print(e.message) } print(s.read("c"))`;
    expect(printed(bundle, { storage: make() })).toEqual([
      "255",
      "abcd",
      "File already written with different data",
      "Too much data for file size",
      "Unable to find or create file",
      "Can't create zero length file",
      "abcd",
    ]);
  });

  it("holds JSON, and the settings of the board", () => {
    const bundle = `${s} print(s.readJSON("coseflow.json").a, s.readJSON("none"));
      s.write("bad", "{"); print(s.readJSON("bad", true)); s.writeJSON("o", { b: [1] });
      s.write("p", { c: 2 }); print(s.read("o"), s.readJSON("p").c, s.readJSON("o").constructor === Object);
      try { s.readJSON("bad") } catch (e) { print("thrown") }`;
    expect(printed(bundle, { storage: make(), settings: { a: 7 } })).toEqual([
      "7 undefined",
      "undefined",
      '{"b":[1]} 2 true',
      "thrown",
    ]);
  });

  it("erases and lists", () => {
    const bundle = `${s} s.write("a.js", "1"); s.write("b", "1"); print(s.list(/js$/));
      s.erase("a.js"); s.erase("none"); print(s.list()); s.eraseAll(); print(s.list())`;
    expect(printed(bundle, { storage: make() })).toEqual(['["a.js"]', '["b"]', "[]"]);
  });
});

it("leaves no unfinished file behind", () => {
  const storage = mkdtempSync(join(root, "board-"));
  printed(`${s} s.write("a", "1"); s.write("a", "2")`, { storage });
  expect(readdirSync(storage)).toEqual(["a"]);
});
