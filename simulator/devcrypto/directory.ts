import { lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fail } from "../../protocol/errors.ts";
import { refuseType } from "./arguments.ts";
import { LOCK, takeLock } from "./lock.ts";
import { erasePrivateFile, orStore } from "./private-file.ts";

const OTHERS = 0o077;
/** As the C module takes it. */
const PATH_LIMIT = 1019;

/**
 * Takes a directory for one module: made with mode 700 where there is none, refused
 * with "store" when others could read it or another module has it open. Returns the
 * function that gives it back.
 */
export function claimDirectory(directory: string): () => void {
  if (!isPath(directory)) refuseType("directory", "a path", directory);
  orStore(directory, () => mkdirSync(directory, { recursive: true, mode: 0o700 }));
  const objection = orStore(directory, () => objectionTo(directory));
  if (objection !== undefined) fail("store", `${directory}, ${objection}`);
  return takeLock(directory);
}

/**
 * Erases every file of the directory but the lock of the module that has it open.
 * Directories, and files of other users, are none of the module's and stay.
 */
export function eraseDirectory(directory: string): void {
  const names = orStore(directory, () => readdirSync(directory));
  for (const name of names)
    if (name !== LOCK && isErasable(join(directory, name))) erasePrivateFile(directory, name);
}

function isPath(path: unknown): path is string {
  if (typeof path !== "string" || path === "" || path.includes("\0")) return false;
  return Buffer.byteLength(path) <= PATH_LIMIT;
}

function isErasable(path: string): boolean {
  const status = orStore(path, () => lstatSync(path, { throwIfNoEntry: false }));
  if (status === undefined || status.isDirectory()) return false;
  return !status.isFile() || status.uid === process.geteuid?.();
}

function objectionTo(directory: string): string | undefined {
  const status = lstatSync(directory);
  if (!status.isDirectory()) return "expected a directory, got a link or a file";
  if (status.uid !== process.geteuid?.()) return "expected a directory of this user, got another's";
  if ((status.mode & OTHERS) !== 0)
    return `expected mode 700, got ${(status.mode & 0o777).toString(8)}`;
  return undefined;
}
