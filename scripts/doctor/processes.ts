import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

export interface Process {
  pid: number;
  name: string;
}

/** What `read` gives, or undefined: processes come and go, and those of others are closed to us. */
function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

export function processIds(proc: string): number[] {
  const names = quietly(() => readdirSync(proc)) ?? [];
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

export function processName(proc: string, pid: number): string {
  return quietly(() => readFileSync(join(proc, String(pid), "comm"), "utf8").trim()) ?? "?";
}

/** The processes that hold a file or socket open: `target` as /proc/<pid>/fd links to it. */
export function holdersOf(proc: string, target: string): Process[] {
  const holds = (pid: number) => {
    const folder = join(proc, String(pid), "fd");
    const files = quietly(() => readdirSync(folder)) ?? [];
    return files.some((file) => quietly(() => readlinkSync(join(folder, file))) === target);
  };
  return processIds(proc)
    .filter(holds)
    .map((pid) => ({ pid, name: processName(proc, pid) }));
}

/** A port or an address has one holder, or a few: what more of them hold is something else. */
const MAX_NAMED = 5;

export function describeProcesses(processes: Process[]): string {
  const named = processes.slice(0, MAX_NAMED).map(({ pid, name }) => `${name} (process ${pid})`);
  const rest = processes.length - named.length;
  return (rest === 0 ? named : [...named, `${rest} more`]).join(", ");
}
