import { spawn } from "node:child_process";
import { userInfo } from "node:os";

/** What the checks look at of the machine: a test gives them another. */
export interface Machine {
  /** Roots of the kernel's and the system's trees. */
  proc: string;
  sys: string;
  dev: string;
  run: string;
  etc: string;
  /** Folders of programs, as PATH. */
  path: string;
  user: { name: string; uid: number; groups: number[] };
  /** Milliseconds since 1970. */
  now(): number;
}

/** In a container a user may have a number and no name. */
function userName(uid: number): string {
  try {
    return userInfo().username;
  } catch {
    return String(uid);
  }
}

export function thisMachine(): Machine {
  const uid = process.getuid?.() ?? -1;
  return {
    proc: "/proc",
    sys: "/sys",
    dev: "/dev",
    run: "/run",
    etc: "/etc",
    path: process.env.PATH ?? "",
    user: {
      name: userName(uid),
      uid,
      groups: [process.getgid?.() ?? -1, ...(process.getgroups?.() ?? [])],
    },
    now: Date.now,
  };
}

/** A compiler takes well under a second; what takes longer hangs. */
const PROGRAM_MS = 20_000;

export interface Ran {
  /** Undefined when there is no such program, or it did not end. */
  code: number | undefined;
  out: string;
}

/** Runs a program of the machine's PATH to its end. */
export function runProgram(
  machine: Machine,
  command: string,
  args: string[],
  input = "",
): Promise<Ran> {
  return new Promise((resolve) => {
    let out = "";
    const child = spawn(command, args, {
      env: { ...process.env, PATH: machine.path, LC_ALL: "C" },
      timeout: PROGRAM_MS,
    });
    child.stdout.on("data", (text) => {
      out += text;
    });
    child.stderr.resume();
    child.stdin.on("error", () => {});
    child.on("error", () => resolve({ code: undefined, out }));
    child.on("close", (code) => resolve({ code: code ?? undefined, out }));
    child.stdin.end(input);
  });
}
