import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where the files of a board's Storage live between power cycles. Contents are byte strings. */
export interface StorageFiles {
  read(name: string): string | undefined;
  write(name: string, content: string): void;
  erase(name: string): void;
  list(): string[];
}

/** Files in memory: the map is the flash, and whoever keeps it keeps the board's storage. */
export function memoryFiles(files: Map<string, string>): StorageFiles {
  return {
    read: (name) => files.get(name),
    write: (name, content) => void files.set(name, content),
    erase: (name) => void files.delete(name),
    list: () => [...files.keys()],
  };
}

/** No encoded name begins like this, so a half-written file is never taken for a real one. */
const unfinished = "%new";

/** A name may hold any byte, also "/" and ".."; its file name may not. */
function encodeName(name: string): string {
  return encodeURIComponent(name).replace(/^\.+$/, (dots) => "%2E".repeat(dots.length));
}

/** One file each in a directory, replaced in one step. */
export function directoryFiles(directory: string): StorageFiles {
  mkdirSync(directory, { recursive: true });
  const path = (name: string) => join(directory, encodeName(name));

  return {
    read(name) {
      try {
        return readFileSync(path(name), "latin1");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    write(name, content) {
      const temporary = join(directory, unfinished);
      writeFileSync(temporary, content, "latin1");
      renameSync(temporary, path(name));
    },
    erase: (name) => rmSync(path(name), { force: true }),
    list: () =>
      readdirSync(directory)
        .filter((name) => name !== unfinished)
        .map(decodeURIComponent),
  };
}
