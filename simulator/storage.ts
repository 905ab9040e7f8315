import { types } from "node:util";
import { toByteString } from "./byte-string.ts";
import type { Realm } from "./realm.ts";
import type { StorageFiles } from "./storage-files.ts";

/** Longer names are cut to this without a word. */
const longestName = 28;
/** What flash reads as where nothing was written. */
const erased = "\xff";

const fileName = (name: unknown): string => toByteString(name).slice(0, longestName);

function isPlainObject(data: unknown): boolean {
  if (typeof data !== "object" || data === null) return false;
  return !Array.isArray(data) && !ArrayBuffer.isView(data) && !types.isAnyArrayBuffer(data);
}

/** Writes into a file that is there: only where nothing has been written yet. */
function fill(known: string, bytes: string, offset: number): string {
  if (offset + bytes.length > known.length) throw new Error("Too much data for file size");
  const space = known.slice(offset, offset + bytes.length);
  if (space !== erased.repeat(bytes.length))
    throw new Error("File already written with different data");
  return known.slice(0, offset) + bytes + known.slice(offset + bytes.length);
}

/** require("Storage"): named files in flash, read and written whole. */
export function createStorage(realm: Realm, files: StorageFiles): object {
  function read(name: unknown, offset: number, length: number): string | undefined {
    const content = files.read(fileName(name));
    if (content === undefined) return undefined;
    const from = Math.max(offset | 0, 0);
    return length > 0 ? content.slice(from, from + length) : content.slice(from);
  }

  function write(name: unknown, data: unknown, offset = 0, size = 0): boolean {
    if (isPlainObject(data)) return write(name, realm.stringify(data));
    if (offset < 0 || size < 0) return false;
    const bytes = toByteString(data);
    const whole = size === 0 ? bytes.length : size;
    if (whole === 0) throw new Error("Can't create zero length file");
    const known = offset === 0 ? erased.repeat(whole) : files.read(fileName(name));
    if (known === undefined) throw new Error("Unable to find or create file");
    files.write(fileName(name), fill(known, bytes, offset));
    return true;
  }

  function readJSON(name: unknown, noExceptions: unknown): unknown {
    const content = files.read(fileName(name));
    if (content === undefined) return undefined;
    try {
      return realm.parse(content);
    } catch (error) {
      if (noExceptions) return undefined;
      throw error;
    }
  }

  function list(expression?: RegExp): string[] {
    const names = files.list();
    if (expression === undefined) return realm.array(names) as string[];
    return realm.array(names.filter((name) => name.match(expression) !== null)) as string[];
  }

  return realm.object({
    read,
    write,
    readJSON,
    writeJSON: (name: unknown, data: unknown) => write(name, realm.stringify(data)),
    erase: (name: unknown) => files.erase(fileName(name)),
    eraseAll: () => files.list().forEach(files.erase),
    list,
  });
}
