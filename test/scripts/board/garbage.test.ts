/** What lies where a board file should, and is none: told in few words, and soon. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatFaults, MAX_TOLD } from "../../../scripts/board/fault.ts";
import { MAX_BYTES } from "../../../scripts/board/limits.ts";
import {
  type BoardFaults,
  createBoardReader,
  createValidator,
} from "../../../scripts/board/validate.ts";
import { temporaryDirectory } from "../../support/built.ts";

const validate = createValidator();
const readBoard = createBoardReader();

let directory: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  [directory, remove] = await temporaryDirectory("garbage");
});
afterEach(() => remove());

/** The lines that a build prints of a file with these bytes. */
function linesOf(content: string | Buffer): string[] {
  const file = join(directory, "bench.json");
  writeFileSync(file, content);
  try {
    readBoard(file);
  } catch (error) {
    return (error as BoardFaults).lines.map((line) => line.replace(file, "bench.json"));
  }
  return expect.unreachable();
}

describe("what is no board file", () => {
  it.each([
    ["nothing", "", "1:1: /, expected JSON, got value expected"],
    ["zeros", "\0".repeat(3000), "1:1: /, expected JSON, got invalid symbol"],
    ["null", "null", "1:1: /, expected an object, got null"],
    [
      "a megabyte",
      "x".repeat(1e6),
      `1:1: /, expected at most ${MAX_BYTES} characters, got 1000000`,
    ],
    ["60,000 levels", "[".repeat(60_000), "1:1: /, expected at most 16 levels, got 60000"],
    [
      "other letters",
      Buffer.from('{ "name":\n "caf\xe9" }', "latin1"),
      "2:6: /, expected UTF-8, got other bytes",
    ],
    [
      "UTF-16",
      Buffer.from('\ufeff{ "name": "bench" }', "utf16le"),
      "1:1: /, expected UTF-8, got other bytes",
    ],
    ["a byte order mark", "\ufeff{}", "1:1: /, expected JSON, got a byte order mark before it"],
  ])("%s is told by one line that names it", (_what, content, told) => {
    expect(linesOf(content)[0]).toBe(`bench.json:${told}`);
  });

  it("of noise, too, whatever the bytes", () => {
    const noise = Buffer.from(
      Array.from({ length: 5000 }, (_, at) => (at * 7919 + (at >> 3)) & 255),
    );
    expect(linesOf(noise)).toEqual([
      expect.stringMatching(/^bench\.json:\d+:\d+: \/, expected UTF-8/),
    ]);
  });

  it.each([
    ["64,000 errors of syntax", `{${",\n".repeat(32_000)}`],
    [
      "3,000 names that there are not",
      JSON.stringify(Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`k${at}`, at]))),
    ],
  ])(
    "has its first faults told, and how many more: %s",
    (_what, text) => {
      const faults = validate(text, "bench");
      expect(faults.length).toBeGreaterThan(2000);
      const lines = linesOf(text);
      expect(lines).toHaveLength(MAX_TOLD + 1);
      expect(lines.at(-1)).toBe(`bench.json: … and ${faults.length - MAX_TOLD} more`);
      expect(formatFaults("b", faults.slice(0, MAX_TOLD))).toHaveLength(MAX_TOLD);
    },
    20_000,
  );

  it("is a folder that is named", () => {
    const folder = join(directory, "folder.json");
    mkdirSync(folder);
    expect(() => readBoard(folder)).toThrow(
      expect.objectContaining({ code: "EISDIR", path: folder }),
    );
  });
});

it("places a fault in any line, first and last column", () => {
  const text = '{\n"a": 1,\n\n  "b": 2 }\n';
  const at = (name: string) => validate(text, "x").find(({ pointer }) => pointer === `/${name}`);
  expect(at("a")).toMatchObject({ line: 2, column: 1 });
  expect(at("b")).toMatchObject({ line: 4, column: 3 });
  expect(validate("{\n}\n,", "x").at(-1)).toMatchObject({ line: 3, column: 1 });
});
