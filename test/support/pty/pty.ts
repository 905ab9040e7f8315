import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const source = join(import.meta.dirname, "pty.c");
const root = join(import.meta.dirname, "..", "..", "..");
const folder = join(root, "build", "test");
const program = join(folder, "pty");

/** Compiled when it is first needed: a C compiler is there wherever the project is tested. */
function compile(): void {
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return;
  mkdirSync(folder, { recursive: true });
  // Two tests may do this at once.
  const unique = `${program}.${process.pid}`;
  execFileSync("cc", ["-Wall", "-Wextra", "-Werror", "-o", unique, source]);
  execFileSync("mv", [unique, program]);
}

/** A terminal that another process opens by its path, as it would a serial port. */
export interface Pty {
  path: string;
  child: ChildProcess;
  /** Pulls the cable: the path is gone. */
  unplug(): Promise<void>;
}

export interface PtyOptions {
  /** A program at the far end; without one it is the child's stdin and stdout. */
  command?: string[];
  /** Starts the program again when it ends; otherwise the terminal ends with it. */
  restarts?: boolean;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
}

export async function openPty(pty: PtyOptions = {}): Promise<Pty> {
  const { command = [], restarts = false, ...options } = pty;
  compile();
  const child = spawn(program, restarts ? ["-r", ...command] : command, {
    ...options,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const lines = createInterface({ input: child.stderr });
  const [path] = (await once(lines, "line")) as [string];
  return {
    path,
    child,
    async unplug() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}
