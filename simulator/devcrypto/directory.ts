import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail } from "../../protocol/errors.ts";
import { erasePrivateFile, orStore } from "./private-file.ts";

/** Holds the process id of the module that has the directory open. */
const LOCK_FILE = "stand-in.lock";
const OTHERS = 0o077;

/**
 * Takes a directory for one module: made with mode 700 where there is none, refused
 * with "store" when others could read it or another module has it open. Returns the
 * function that gives it back.
 */
export function claimDirectory(directory: string): () => void {
  if (typeof directory !== "string" || directory === "" || directory.includes("\0"))
    fail("argument", `directory, expected a path, got ${typeof directory}`);
  orStore(directory, () => mkdirSync(directory, { recursive: true, mode: 0o700 }));
  const objection = orStore(directory, () => objectionTo(directory));
  if (objection !== undefined) fail("store", `${directory}, ${objection}`);
  const lock = join(directory, LOCK_FILE);
  if (!tryLock(lock)) takeOver(lock);
  return () => rmSync(lock, { force: true });
}

/** Erases every file of the directory but the lock of the module that has it open. */
export function eraseDirectory(directory: string): void {
  const names = orStore(directory, () => readdirSync(directory));
  for (const name of names) if (name !== LOCK_FILE) erasePrivateFile(directory, name);
}

function objectionTo(directory: string): string | undefined {
  const status = lstatSync(directory);
  if (!status.isDirectory()) return "expected a directory, got a link or a file";
  if (status.uid !== process.geteuid?.()) return "expected a directory of this user, got another's";
  if ((status.mode & OTHERS) !== 0)
    return `expected mode 700, got ${(status.mode & 0o777).toString(8)}`;
  return undefined;
}

/** False when there is a lock already. */
function tryLock(lock: string): boolean {
  return orStore(lock, () => {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx", mode: 0o600 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  });
}

/** A process that was killed leaves its lock behind. */
function takeOver(lock: string): void {
  const owner = orStore(lock, () => Number(readFileSync(lock, "latin1")));
  if (owner > 0 && isRunning(owner))
    fail("store", `${lock}, expected no other module, got one in process ${owner}`);
  rmSync(lock, { force: true });
  if (!tryLock(lock)) fail("store", `${lock}, expected no other module, got one just now`);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
