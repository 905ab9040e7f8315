import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advice, isOutdated } from "../../scripts/setup.mjs";

const script = resolve(import.meta.dirname, "..", "..", "scripts", "setup.mjs");

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "coseflow-setup-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, seconds: number): string {
  const file = join(folder, name);
  mkdirSync(resolve(file, ".."), { recursive: true });
  writeFileSync(file, "");
  utimesSync(file, seconds, seconds);
  return file;
}

/** A program of the name in the test's folder: a line of shell. */
function fakeProgram(name: string, line: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
}

/** Setup as on a machine that has nothing but Node and the fake programs. */
async function setupOnBareMachine() {
  symlinkSync(process.execPath, join(folder, "node"));
  const run = promisify(execFile)(process.execPath, [script, "--test"], { env: { PATH: folder } });
  return run.catch((error) => error);
}

describe("setup", () => {
  it("says on stderr what to install and fails where it may install nothing", async () => {
    const { code, stdout, stderr } = await setupOnBareMachine();
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^ {2}sudo apt-get install -y .*gcc.* make .*libmbedtls-dev/m);
  });

  it("installs what is missing in one go where it may", async () => {
    const log = join(folder, "log");
    fakeProgram("apt-get", `echo "$@" >> ${log}`);
    fakeProgram("sudo", 'shift; exec "$@"');
    fakeProgram("true", "exit 0");
    const { code, stderr } = await setupOnBareMachine();
    const [update, install, ...more] = readFileSync(log, "utf8").trim().split("\n");
    expect(update).toBe("-qq update");
    expect(install).toMatch(/^-qq install -y .*gcc libc6-dev make libmbedtls-dev/);
    expect(more).toEqual([]);
    // The fake brought nothing, and setup looks again.
    expect(code).toBe(1);
    expect(stderr).toContain("missing: C compiler, make, mbedTLS");
  });

  it("puts all packages on one line", () => {
    const needs = [
      { name: "a compiler", packages: ["gcc", "libc6-dev"] },
      { name: "make", packages: ["make"] },
    ];
    expect(advice(needs)).toBe(
      "missing: a compiler, make. Install with:\n  sudo apt-get install -y gcc libc6-dev make",
    );
  });
});

describe("a target is outdated", () => {
  it("when it is missing, or older than any file below a source", () => {
    const target = write("target", 100);
    const older = write("older", 99);
    write("sources/deep/newer", 101);
    expect(isOutdated([older], [target])).toBe(false);
    expect(isOutdated([older], [target, join(folder, "missing")])).toBe(true);
    expect(isOutdated([older, join(folder, "sources")], [target])).toBe(true);
  });

  it("not when a source is gone", () => {
    expect(isOutdated([join(folder, "missing")], [write("target", 100)])).toBe(false);
  });
});
