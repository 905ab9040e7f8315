import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fail } from "../../protocol/errors.ts";

/** The longest record and more: what is longer is damaged, and its first bytes show that as well. */
const READ_LIMIT = 8192;
const OWNER_ONLY = 0o600;

/** The file's content, undefined when there is none; "store" when it is not private to this user. */
export function readPrivateFile(path: string): Buffer | undefined {
  const file = openForReading(path);
  if (file === undefined) return undefined;
  try {
    return orStore(path, () => readChecked(file, path));
  } finally {
    closeSync(file);
  }
}

function readChecked(file: number, path: string): Buffer {
  const status = fstatSync(file);
  const isPrivate = status.isFile() && (status.mode & 0o7777 & ~OWNER_ONLY) === 0;
  if (!isPrivate || status.uid !== process.geteuid?.())
    fail("store", `${path}, expected a file of mode 600 of this user, got another`);
  const content = Buffer.alloc(Math.min(status.size, READ_LIMIT));
  return content.subarray(0, readSync(file, content));
}

/**
 * Replaces a file so that after a power cut it holds the old content or the new,
 * never a part: temporary file, fsync, rename, fsync of the directory.
 */
export function writePrivateFile(directory: string, name: string, content: Buffer): void {
  const path = join(directory, name);
  const temporary = `${path}.new`;
  orStore(path, () => {
    rmSync(temporary, { force: true });
    writeSynced(temporary, content);
    renameSync(temporary, path);
    syncDirectory(directory);
  });
}

/** Removes a file after writing zeros over it; none is no error. */
export function erasePrivateFile(directory: string, name: string): void {
  const path = join(directory, name);
  orStore(path, () => {
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status === undefined) return;
    if (status.isFile()) writeSynced(path, Buffer.alloc(status.size), constants.O_WRONLY);
    unlinkSync(path);
    syncDirectory(directory);
  });
}

/** Runs a file operation; the system's failure is a "store" error with the system's code. */
export function orStore<T>(what: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    fail("store", `${what}, expected to be usable, got ${code}`);
  }
}

function openForReading(path: string): number | undefined {
  try {
    // O_NONBLOCK: a FIFO in the file's place must not make us wait for its writer.
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    return openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    fail("store", `${path}, expected to be readable, got ${(error as NodeJS.ErrnoException).code}`);
  }
}

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

function writeSynced(path: string, content: Buffer, mode = O_WRONLY | O_CREAT | O_EXCL): void {
  const file = openSync(path, mode | O_NOFOLLOW, OWNER_ONLY);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncDirectory(directory: string): void {
  const file = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
