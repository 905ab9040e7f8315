import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { initKeys } from "../../../cloud/keys/cloud-keys.ts";
import { runCli } from "../../../scripts/cli/program.ts";
import { examine, findingText } from "../../../scripts/doctor/examine.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { CLI } from "../../support/built.ts";
import { freePort } from "../../support/free-port.ts";

const temporary = temporaryDirectories();

async function run(...args: string[]) {
  const written = { out: "", error: "" };
  const code = await runCli(["doctor", ...args], {
    out: (text) => {
      written.out += text;
    },
    error: (text) => {
      written.error += text;
    },
  });
  return { code, ...written };
}

async function keysAndDatabase() {
  const directory = temporary();
  const keys = join(directory, "keys");
  await initKeys(keys);
  return { keys, args: ["--keys", keys, "--db", join(directory, "cloud.db")] };
}

describe("coseflow doctor", () => {
  it("gives each finding as a line of JSON, and ends with 0", async () => {
    const { args } = await keysAndDatabase();
    const { code, out, error } = await run("--json", ...args);
    const findings = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const failing = findings.filter(({ result }) => result === "fail");
    // The machine's own temporary folder may be in memory: the one thing here that is its own.
    expect(failing.filter(({ check }) => check !== "database")).toEqual([]);
    expect({ code, error }).toEqual({ code: failing.length > 0 ? 1 : 0, error: "" });
    expect(new Set(findings.map(({ check }) => check))).toEqual(
      new Set(
        "node,compiler,c module,udev,usb chip,serial ports,clock,certificates,database,disk,ports".split(
          ",",
        ),
      ),
    );
    for (const { result, text, cause, fix } of findings) {
      expect(text).toMatch(/^[^\n]+$/);
      expect([cause, fix].every((part) => (part === undefined) === (result === "ok"))).toBe(true);
    }
  });

  it("ends with 1 when something fails, with cause and fix, without a terminal", async () => {
    const { keys, args } = await keysAndDatabase();
    chmodSync(join(keys, "kek.bin"), 0o644);
    const broker = `mqtt://user:s3cret@127.0.0.1:${await freePort()}`;
    const child = spawn(process.execPath, [CLI, "doctor", "--broker", broker, ...args]);
    let out = "";
    child.stdout.on("data", (text) => {
      out += text;
    });
    const [code] = await once(child, "close");
    expect(code).toBe(1);
    expect(out).toMatch(
      /^fail {2}certificates .*kek.bin: mode 644, expected 600\n +cause: .*\n +fix: {3}chmod 600/m,
    );
    expect(out).toMatch(/^fail {2}broker .*does not answer/m);
    expect(out).not.toContain("s3cret");
    expect(out).not.toContain("\u001b");
  });

  it("refuses a broker's URL that is none with code 2", async () => {
    expect(await run("--broker", "localhost")).toMatchObject({ code: 2, out: "" });
  });
});

describe("examine", () => {
  it("goes on after a check that cannot look", async () => {
    const seen: string[] = [];
    const { sound } = await examine(
      [
        { name: "broken", run: () => Promise.reject(new Error("no\nluck")) },
        { name: "well", run: async () => [{ result: "ok", text: "\u001b[2J" }] },
      ],
      (finding) => seen.push(findingText(finding, false)),
    );
    expect(sound).toBe(false);
    expect(seen[0]).toMatch(/^fail {2}broken +no luck\n/);
    expect(seen[1]).not.toContain("\u001b");
  });
});
