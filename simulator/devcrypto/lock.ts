import { readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fail } from "../../protocol/errors.ts";
import { orStore } from "./private-file.ts";

/**
 * The lock of a directory, which the C module's port for hosts takes and honours as well:
 * a symbolic link to nowhere, whose target names the process that has the directory open.
 * A link is there whole or not at all, and is made only where there is none.
 */
export const LOCK = "module.lock";
/** In /proc/<pid>/stat, counted after the process's name: field 22, its start (proc(5)). */
const START_FIELD = 19;

/** Takes the lock or fails with "store"; returns the function that gives it back. */
export function takeLock(directory: string): () => void {
  const lock = join(directory, LOCK);
  const owner = `${process.pid}.${startOf("self")}`;
  if (!tryLock(lock, owner)) takeOver(lock, owner);
  return () => rmSync(lock, { force: true });
}

/** False when there is a lock already. */
function tryLock(lock: string, owner: string): boolean {
  return orStore(lock, () => {
    try {
      symlinkSync(owner, lock);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  });
}

/** A process that was killed leaves its lock behind. */
function takeOver(lock: string, owner: string): void {
  const other = orStore(lock, () => readlinkSync(lock));
  if (isAlive(other)) fail("store", `${lock}, expected no other module, got one of ${other}`);
  rmSync(lock, { force: true });
  if (!tryLock(lock, owner)) fail("store", `${lock}, expected no other module, got one just now`);
}

/** The start tells the owner from a later process that was given its number. */
function isAlive(owner: string): boolean {
  const [pid = "", start = ""] = owner.split(".");
  if (!/^[1-9][0-9]{0,9}$/.test(pid) || !isRunning(Number(pid))) return false;
  const now = startOf(pid);
  return start === "" || now === "" || start === now;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Clock ticks from the start of the system; empty where there is no /proc. */
function startOf(pid: string): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[START_FIELD] ?? "";
  } catch {
    return "";
  }
}
