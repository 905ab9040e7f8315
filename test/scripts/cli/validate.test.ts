/** `coseflow validate` as it is typed; what it finds in board files is in test/scripts/board. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { temporaryDirectory } from "../../support/built.ts";
import { run } from "./run.ts";

let directory: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  [directory, remove] = await temporaryDirectory("validate");
});
afterEach(() => remove());

it("says of which file it cannot read, and why", async () => {
  const folder = join(directory, "folder.json");
  mkdirSync(folder);
  const absent = join(directory, "absent.json");
  for (const [path, why] of [
    [folder, "is a directory"],
    [absent, "no such file or directory"],
  ] as const) {
    const { code, out, error } = await run("validate", path);
    expect({ code, out, error }).toEqual({
      ...{ code: 1, out: "", error: `coseflow: ${path}: ${why}\n` },
    });
  }
});

it("places each fault of a file", async () => {
  const file = join(directory, "bench.json");
  writeFileSync(file, '{\n  "name": "bench",\n  "network": "hots",\n  "sensors": 1\n}\n');
  const { code, out, error } = await run("validate", file);
  expect(code).toBe(1);
  expect(out + error).toMatch(/bench\.json:3:14: .*did you mean host/);
  expect(out + error).toMatch(/bench\.json:4:14: /);
});
