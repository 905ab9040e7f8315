import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

const OWNER_ONLY_DIRECTORY = 0o700;
const OWNER_ONLY_FILE = 0o600;
/** Any permission of the group or of others. */
const OTHERS = 0o077;

function octal(mode: number): string {
  return (mode & 0o777).toString(8);
}

/** Makes a directory for the owner alone; throws when it is there and others may enter it. */
export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: OWNER_ONLY_DIRECTORY });
  checkPrivateDirectory(path);
}

/** Throws when others than the owner may do anything in the directory. */
export function checkPrivateDirectory(path: string): void {
  const { mode } = statSync(path);
  if ((mode & OTHERS) !== 0)
    throw new Error(
      `${path}, expected mode 700, got ${octal(mode)}: others could read keys (chmod 700 ${path})`,
    );
}

function checkPrivateFile(path: string, file: number): void {
  const { mode } = fstatSync(file);
  if ((mode & OTHERS) !== 0)
    throw new Error(
      `${path}, expected mode 600, got ${octal(mode)}: others could read the key (chmod 600 ${path})`,
    );
}

/** The file's content; throws when others than the owner may read or write it. */
export function readPrivateFile(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    checkPrivateFile(path, file);
    return readFileSync(file);
  } catch (error) {
    throw Object.assign(error as Error, { path });
  } finally {
    closeSync(file);
  }
}

/**
 * Makes a file that was not there, whole or not at all: temporary file, fsync, then a
 * hard link, which fails with EEXIST where a rename would replace a key.
 */
export function createPrivateFile(directory: string, name: string, content: string | Buffer): void {
  const temporary = join(directory, `.${name}.${randomBytes(6).toString("hex")}`);
  const bytes = Buffer.from(content);
  try {
    const file = openSync(temporary, "wx", OWNER_ONLY_FILE);
    try {
      // Not writeSync: on a disk that is nearly full it writes a part, and says no more than how much.
      writeFileSync(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    linkSync(temporary, join(directory, name));
    syncDirectory(directory);
  } catch (error) {
    throw Object.assign(error as Error, { path: join(directory, name) });
  } finally {
    bytes.fill(0);
    rmSync(temporary, { force: true });
  }
}

/**
 * Adds a line to a file that is there, and returns once it is on the disk. A line that a
 * power cut has left unfinished stays a line of its own.
 */
export function appendPrivateLine(path: string, line: string): void {
  const file = openSync(path, constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW);
  try {
    checkPrivateFile(path, file);
    const last = Buffer.alloc(1);
    const { size } = fstatSync(file);
    const isWhole = size === 0 || (readSync(file, last, 0, 1, size - 1) === 1 && last[0] === 0x0a);
    const bytes = Buffer.from(`${isWhole ? "" : "\n"}${line}\n`);
    const written = writeSync(file, bytes);
    fsyncSync(file);
    if (written !== bytes.length)
      throw new Error(`${path}, expected ${bytes.length} bytes more, got ${written} written`);
  } catch (error) {
    throw Object.assign(error as Error, { path });
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
