/** Terminals into which a test types what a document says. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect } from "vitest";
import { type ConsoleLines, createConsoleLines } from "./console-lines.ts";

export interface Terminal {
  child: ChildProcess;
  /** All that it shows. */
  screen: ConsoleLines;
  /** Ctrl-C to all that runs in it; resolves at its end. */
  stop(): Promise<void>;
}

/** The index behind the line; rejects when what was typed ends without it. */
export function shows({ child, screen }: Terminal, pattern: RegExp, from = 0): Promise<number> {
  const ended = once(child, "close").then(() => {
    throw new Error(`terminal, expected ${pattern}, got:\n${screen.lines.join("\n")}`);
  });
  return Promise.race([screen.line(pattern, from), ended]);
}

/** Types a block; the first line that fails ends it. */
export function type(block: string, options: { cwd: string; env: NodeJS.ProcessEnv }): Terminal {
  const child = spawn("bash", ["-e", "-c", block], {
    ...options,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const screen = createConsoleLines();
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", screen.take);
  return {
    child,
    screen,
    async stop() {
      const isRunning = child.exitCode === null && child.signalCode === null;
      const ended = isRunning ? once(child, "exit") : undefined;
      try {
        process.kill(-(child.pid as number), "SIGTERM");
      } catch {
        // All of it has ended.
      }
      await ended;
    },
  };
}

/** Waits for the end of what was typed, which must be a good one, and gives what it has shown. */
export async function toItsEnd({ child, screen }: Terminal): Promise<string> {
  const [code] = await once(child, "close");
  const shown = screen.lines.join("\n");
  expect(code, shown).toBe(0);
  return shown;
}
