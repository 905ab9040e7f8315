/**
 * A disk on which nothing more fits: the limit of a file's size does to a write what it does, and
 * needs no disk. The message names the file, and no part of one is left behind.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CLI, temporaryDirectory } from "../../support/built.ts";

let directory: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  [directory, remove] = await temporaryDirectory("full-disk");
});
afterEach(() => remove());

/** A command whose files may have so many blocks of 512 bytes. */
async function coseflow(
  blocks: number | "unlimited",
  args: string[],
  stdout: "pipe" | number = "pipe",
) {
  const line = `ulimit -f ${blocks}; exec "$0" "$@"`;
  const child = spawn("sh", ["-c", line, process.execPath, CLI, ...args], {
    stdio: ["ignore", stdout, "pipe"],
    cwd: directory,
  });
  const told = { out: "", error: "" };
  child.stdout?.on("data", (text) => {
    told.out += text;
  });
  child.stderr?.on("data", (text) => {
    told.error += text;
  });
  const [code] = await once(child, "close");
  return { code, ...told };
}

describe("a disk that is full", () => {
  it("keeps the bundle that was there, and leaves no half of another", async () => {
    const bundle = join(directory, "linux.js");
    writeFileSync(bundle, "the one before");
    const ran = await coseflow(64, ["build", "linux", "--output", directory]);
    expect(ran).toEqual({ code: 1, out: "", error: `${bundle}: larger than a file may be here\n` });
    expect(readdirSync(directory)).toEqual(["linux.js"]);
    expect(readFileSync(bundle, "utf8")).toBe("the one before");
  });

  it("leaves neither of a new board's files, nor a key in parts", async () => {
    const like = ["--like", "linux", "--broker", "mqtt://localhost", "--directory", directory];
    expect(await coseflow(0, ["init", "shed", ...like])).toEqual({
      ...{ code: 1, out: "" },
      error: `coseflow: ${join(directory, "shed.secrets.json")}: larger than a file may be here\n`,
    });
    // The secrets fit, and the board file does not.
    const pins = ["--sensor", "host:10", "--sensor", "host:20"];
    const secrets = await coseflow(1, ["init", "shed", ...like, ...pins]);
    expect(secrets).toMatchObject({ code: 1, out: "" });
    expect(readdirSync(directory)).toEqual([]);

    const keys = join(directory, "keys");
    const ran = await coseflow(0, ["ca", "init", "--dir", keys]);
    expect(ran).toMatchObject({
      code: 1,
      error: expect.stringMatching(/^coseflow: \S+keys\/\S+: larger than a file may be here\n$/),
    });
    expect(readdirSync(keys)).toEqual(["issued.jsonl"]);
    expect(readFileSync(join(keys, "issued.jsonl"), "utf8")).toBe("");
  });

  it("is told of the database by its name", async () => {
    const db = join(directory, "coseflow.db");
    const { code, error } = await coseflow(16, ["device", "list", "--db", db]);
    expect(code).toBe(1);
    expect(error).toMatch(new RegExp(`^coseflow: ${db}: [^\\n]*(?:full|no space)[^\\n]*\\n$`));
  });

  it("is no orderly end where it takes the output", async () => {
    const full = openSync("/dev/full", "w");
    expect(await coseflow("unlimited", ["validate"], full)).toMatchObject({
      code: 1,
      error: "coseflow: standard output, expected to be written, got ENOSPC\n",
    });
  });
});
