/** The depth of the interpreter above the C module: how it is calculated, and its budget. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  DEPTH_BUDGET,
  type DepthRecord,
  measureDepths,
  readFrames,
  withDepths,
} from "../../native/espruino/stack/frames.mjs";

const native = join(import.meta.dirname, "..", "..", "native");
const read = (name: string) => readFileSync(join(native, name), "utf8");

it("adds up the frames of the deepest chain to each function", () => {
  const frames = readFrames([
    "call.c:10:7:glue\t496\tstatic\njsparse.c:5:1:parse.isra.0\t16\tstatic\n",
    "jsparse.c:9:1:parse\t32\tdynamic,bounded\nmain.c:1:1:loop\t64\tstatic\n",
  ]);
  const chains = "dc_sign glue parse loop\ndc_sign glue parse parse loop main\ndc_free loop\n";
  expect(measureDepths(chains, frames)).toEqual({
    depths: { dc_sign: 496 + 32 + 32 + 64, dc_free: 64 },
    unknown: ["main"],
  });
});

it("takes no chains, or chains without frames, for no result", () => {
  expect(() => measureDepths("", new Map())).toThrow();
  expect(() => measureDepths("dc_sign glue", new Map())).toThrow();
});

it("is recorded within its budget, and stands in the README", () => {
  const recorded: { espruino: DepthRecord } = JSON.parse(read("size.json"));
  expect(Object.keys(recorded.espruino.depths)).toContain("dc_sign_message");
  expect(Math.max(...Object.values(recorded.espruino.depths))).toBeLessThanOrEqual(DEPTH_BUDGET);
  expect(withDepths(read("README.md"), recorded.espruino)).toBe(read("README.md"));
});
