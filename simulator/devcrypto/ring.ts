import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { fromBuffer, toBuffer } from "../../cloud/crypto/convert.ts";
import type { DeviceRing } from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import { bounded, boundedCount, NUMBER_LIMIT, RING_ENTRY_LIMIT } from "./limits.ts";
import { orStore, writePrivateFile } from "./private-file.ts";
import { blankFlash, FLASH_SIZE, openLog, type Put } from "./ring-log.ts";

/** The file that the C module's port for hosts uses as flash. */
const FLASH_FILE = "queue";

/** The ring over a file in place of flash, opened when it is first used. */
export function createRing(directory: string): DeviceRing & { close(): void } {
  let flash: { file: number; log: ReturnType<typeof openLog> } | undefined;

  function open() {
    if (flash !== undefined) return flash.log;
    const file = openFlash(directory);
    const image = Buffer.alloc(FLASH_SIZE);
    orStore(FLASH_FILE, () => readSync(file, image, 0, FLASH_SIZE, 0));
    const put: Put = (at, content) =>
      orStore(FLASH_FILE, () => {
        writeSync(file, content, 0, content.length, at);
        fdatasyncSync(file);
      });
    flash = { file, log: openLog(image, put) };
    return flash.log;
  }

  return {
    ringAppend(entry) {
      const content = toBuffer(bounded(entry, "entry", RING_ENTRY_LIMIT), "entry");
      if (content.length === 0) fail("argument", "entry, expected at least 1 byte, got none");
      return open().append(content);
    },

    ringPeek(index) {
      const content = open().peek(boundedCount(index, "index", NUMBER_LIMIT));
      return content === undefined ? undefined : fromBuffer(content);
    },

    ringDrop: (count) => open().drop(boundedCount(count, "count", NUMBER_LIMIT)),
    ringCount: () => open().count(),

    close() {
      if (flash !== undefined) closeSync(flash.file);
      flash = undefined;
    },
  };
}

function openFlash(directory: string): number {
  const path = join(directory, FLASH_FILE);
  return tryOpen(path) ?? makeFlash(directory, path);
}

function makeFlash(directory: string, path: string): number {
  writePrivateFile(directory, FLASH_FILE, blankFlash());
  return tryOpen(path) ?? fail("store", `${path}, expected to be made, got none`);
}

function tryOpen(path: string): number | undefined {
  const { O_RDWR, O_NOFOLLOW, O_NONBLOCK } = constants;
  let file: number;
  try {
    file = openSync(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return fail("store", `${path}, expected to be readable, got another`);
  }
  const status = fstatSync(file);
  const isPrivate = status.isFile() && (status.mode & 0o177) === 0;
  if (isPrivate && status.uid === process.geteuid?.() && status.size === FLASH_SIZE) return file;
  closeSync(file);
  return fail("store", `${path}, expected ${FLASH_SIZE} bytes of mode 600, got another file`);
}
