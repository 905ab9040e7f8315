/**
 * README's walk through a device's whole life, as it is written there: three terminals, each with
 * its lines, in an empty folder. Only the port is another, and what was built before is used.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, expect, it } from "vitest";
import { CLI, temporaryDirectory } from "../support/built.ts";
import { type ConsoleLines, createConsoleLines } from "../support/console-lines.ts";
import { blocks, readDocument, section } from "../support/documents.ts";
import { freePort } from "../support/free-port.ts";
import { findMosquitto } from "../support/mosquitto.ts";

const SECTION = "A device's whole life";
const PORT = "18883";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** A folder for `npx coseflow` and `mosquitto` as a clone and a Debian machine have them. */
async function makeFolder(): Promise<{ cwd: string; env: NodeJS.ProcessEnv }> {
  const [cwd, remove] = await temporaryDirectory("walk");
  cleanUp.push(remove);
  const bin = join(cwd, "node_modules", ".bin");
  await mkdir(bin, { recursive: true });
  const program = `#!/bin/sh\nexec ${process.execPath} ${CLI} "$@"\n`;
  await writeFile(join(bin, "coseflow"), program, { mode: 0o755 });
  const path = [process.env.PATH, dirname(findMosquitto())].join(":");
  return { cwd, env: { ...process.env, PATH: path } };
}

interface Terminal {
  child: ChildProcess;
  /** All that it shows. */
  screen: ConsoleLines;
}

/** The index behind the line; rejects when what was typed ends without it. */
function shows({ child, screen }: Terminal, pattern: RegExp, from = 0): Promise<number> {
  const ended = once(child, "close").then(() => {
    throw new Error(`terminal, expected ${pattern}, got:\n${screen.lines.join("\n")}`);
  });
  return Promise.race([screen.line(pattern, from), ended]);
}

it("works as it is written", { timeout: 240_000 }, async () => {
  const { cwd, env } = await makeFolder();
  const port = await freePort();

  /** Types a block; the first line that fails ends it. */
  function type(block: string): Terminal {
    const lines = block.replaceAll(PORT, String(port)).replace(/^npm .*\n/gm, "");
    const child = spawn("bash", ["-e", "-c", lines], {
      ...{ cwd, env, detached: true },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const screen = createConsoleLines();
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", screen.take);
    cleanUp.push(async () => {
      const ended = child.exitCode === null ? once(child, "exit") : undefined;
      try {
        process.kill(-(child.pid as number), "SIGTERM");
      } catch {
        // All of it has ended.
      }
      await ended;
    });
    return { child, screen };
  }

  const walk = blocks(section(readDocument("README.md"), SECTION), "sh");
  expect(walk).toHaveLength(4);
  const [cloud, board, ...operator] = walk as [string, string, string, string];
  await shows(type(cloud), /"event":"connected"/);
  const device = type(board);
  const enrolled = await shows(device, /^enrolled as shed of ann$/);
  await shows(device, /^state: streaming$/, enrolled);

  /** Types a block to its end, and gives what it has shown. */
  async function typeAll(block: string): Promise<string> {
    const { child, screen } = type(block);
    const [code] = await once(child, "close");
    const shown = screen.lines.join("\n");
    expect(code, shown).toBe(0);
    return shown;
  }
  const first = await typeAll(operator[0]);
  expect(first).toMatch(/enrolled +shed +ann/);
  for (const end of ["update \\d+: done", "request \\d+: done", "update \\d+: rolled"])
    expect(first).toMatch(new RegExp(`^${end}`, "m"));
  await shows(device, /^new key known to the cloud: the old one is erased$/);
  expect(await typeAll(operator[1])).toMatch(/^delete \d+: deleted$/m);
  await shows(device, /^device deprovisioned: nothing is left$/);
});
