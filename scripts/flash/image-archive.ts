import { FlashFailure } from "./failure.ts";
import type { ImageFiles } from "./image.ts";

/** The names in the archive that Espruino's build makes; the application's has the chip in it. */
const BOOTLOADER = "bootloader.bin";
const TABLE = "partition-table.bin";
const APPLICATION = /^espruino.*\.bin$/;

/** More than three parts for the largest chip: what unpacks to more is none of ours. */
export const MAX_UNPACKED = 64 * 1024 * 1024;
const GZIP = [0x1f, 0x8b];

const TAR_BLOCK = 512;
const TAR_SIZE_AT = 124;

export const isGzip = (bytes: Uint8Array) => GZIP.every((byte, index) => bytes[index] === byte);

/** The files of a tar archive by the last part of their names. */
export function readTar(archive: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const decoder = new TextDecoder("latin1");
  for (let at = 0; at + TAR_BLOCK <= archive.length; ) {
    const field = (from: number, length: number) =>
      decoder.decode(archive.subarray(at + from, at + from + length)).replace(/\0.*$/s, "");
    const name = field(0, 100);
    const size = Number.parseInt(field(TAR_SIZE_AT, 12).trim(), 8);
    if (name === "" || !Number.isSafeInteger(size)) break;
    const start = at + TAR_BLOCK;
    files.set(name.replace(/^.*\//s, ""), archive.subarray(start, start + size));
    at = start + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
  }
  return files;
}

export function failToUnpack(path: string): never {
  throw new FlashFailure("files", `${path} does not unpack`, "copy it again, or build it again");
}

/** The three parts among the files of an archive or a folder. */
export function pickParts(path: string, files: Map<string, Uint8Array>): ImageFiles {
  const bootloader = files.get(BOOTLOADER);
  const partitionTable = files.get(TABLE);
  const names = [...files.keys()].filter((name) => APPLICATION.test(name));
  const application = files.get(names[0] ?? "");
  if (bootloader && partitionTable && application && names.length === 1)
    return { kind: "parts", bootloader, partitionTable, application };
  throw new FlashFailure(
    "files",
    `${path}, expected ${BOOTLOADER}, ${TABLE} and one espruino*.bin, got ${[...files.keys()].join(", ") || "none"}`,
    "name the .tgz or the folder that Espruino's build makes (docs/building.md)",
  );
}
