import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type OutputOptions, rollup } from "rollup";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BoardFaults, createBoardReader } from "../../../scripts/board/validate.ts";
import { projectOptions } from "../../../scripts/build/project.mjs";
import { LIMIT_BYTES } from "../../../scripts/build/size.mjs";
import type { Built } from "../../../scripts/bundle/build.ts";
import { CLI, temporaryDirectory } from "../../support/built.ts";
import { run } from "./run.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const BUILD_MS = 180_000;

let directory: string;
let remove: () => Promise<void>;

beforeEach(async () => {
  [directory, remove] = await temporaryDirectory("build");
  // Midnight may pass between two builds.
  vi.stubEnv("SOURCE_DATE_EPOCH", "1795000000");
});
afterEach(() => {
  vi.unstubAllEnvs();
  return remove();
});

describe("coseflow build", () => {
  it("makes the same bundle every time, wherever the sources lie", {
    timeout: BUILD_MS,
  }, async () => {
    const first = await run("build", "xiao-esp32-c3", "--json", "--output", join(directory, "a"));
    const second = await run("build", "xiao-esp32-c3", "--output", join(directory, "b"));
    expect([first.code, second.code, first.error, second.error]).toEqual([0, 0, "", ""]);
    const bundle = readFileSync(join(directory, "a", "xiao-esp32-c3.js"));
    expect(readFileSync(join(directory, "b", "xiao-esp32-c3.js")).equals(bundle)).toBe(true);

    const elsewhere = join(directory, "another place");
    for (const folder of ["boards", "dist/firmware", "dist/protocol"])
      cpSync(join(root, folder), join(elsewhere, folder), { recursive: true });
    const [options] = projectOptions({
      root: elsewhere,
      names: ["xiao-esp32-c3"],
      readBoard: createBoardReader(),
    });
    const built = await rollup(options ?? {});
    await built.write(options?.output as OutputOptions);
    await built.close();
    const copy = readFileSync(join(elsewhere, "build", "firmware", "xiao-esp32-c3.js"));
    expect(copy.equals(bundle)).toBe(true);

    const report: Built = JSON.parse(first.out);
    expect(report).toMatchObject({
      board: "xiao-esp32-c3",
      file: join(directory, "a", "xiao-esp32-c3.js"),
      bytes: bundle.length,
      limit: LIMIT_BYTES,
      sha256: createHash("sha256").update(bundle).digest("hex"),
    });
    expect(report.modules["firmware/sensors/sht3x"]).toBeGreaterThan(100);
    expect(report.modules["cold:firmware/trust"]).toBeGreaterThan(100);
    // Nothing of a driver that the board does not name.
    expect(Object.keys(report.modules).join()).not.toMatch(/bosch|ds18b20|pulses|refine|changes/);
    expect(second.out).toMatch(/^xiao-esp32-c3: \d+ of at most \d+ bytes \(\d+ %\)$/m);
    expect(second.out).toMatch(/^ +\d+ {2}firmware\/mqtt\/client$/m);
  });

  it("says what is wrong in one line", async () => {
    const ran = await run("build", "no-such-board");
    expect(ran.code).toBe(1);
    expect(ran.error).toMatch(/^.*no-such-board\.json: no such file or directory\n$/);
    expect((await run("build", "../boards/linux")).code).toBe(2);
  });

  it("refuses a board file with all its faults", () => {
    const file = join(directory, "bench.json");
    writeFileSync(file, '{ "name": "bench", "chip": "linux", "sensors": [], "queues": {} }');
    try {
      createBoardReader()(file);
      expect.unreachable();
    } catch (error) {
      expect((error as BoardFaults).lines).toHaveLength(3);
      expect(error).toBeInstanceOf(BoardFaults);
    }
  });
});

describe("coseflow build --watch", () => {
  it("builds again when the board file is written, until it is stopped", {
    timeout: BUILD_MS,
  }, async () => {
    const output = join(directory, "watched");
    const child = spawn(process.execPath, [
      CLI,
      "build",
      "linux",
      "--watch",
      "--json",
      "--output",
      output,
    ]);
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const next = async (): Promise<Built> => JSON.parse((await lines.next()).value);
      const first = await next();
      const file = join(root, "boards", "linux.json");
      const { atime, mtime } = statSync(file);
      utimesSync(file, new Date(), new Date());
      const second = await next();
      utimesSync(file, atime, mtime);
      expect(second).toEqual(first);
      const ended = once(child, "exit");
      child.kill("SIGINT");
      expect(await ended).toEqual([0, null]);
    } finally {
      child.kill("SIGKILL");
    }
  });
});
