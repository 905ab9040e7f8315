import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { FlashFailure } from "../flash/failure.ts";
import type { ImageFiles } from "../flash/image.ts";

/** The names in the archive that Espruino's build makes; the application's has the chip in it. */
const BOOTLOADER = "bootloader.bin";
const TABLE = "partition-table.bin";
const APPLICATION = /^espruino.*\.bin$/;

/** More than three parts for the largest chip: what unpacks to more is none of ours. */
const MAX_UNPACKED = 64 * 1024 * 1024;
const GZIP = [0x1f, 0x8b];

const TAR_BLOCK = 512;
const TAR_SIZE_AT = 124;

/** The files of a tar archive by the last part of their names. */
function readTar(archive: Buffer): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + TAR_BLOCK <= archive.length; ) {
    const field = (from: number, length: number) =>
      archive.toString("latin1", at + from, at + from + length).replace(/\0.*$/s, "");
    const name = field(0, 100);
    const size = Number.parseInt(field(TAR_SIZE_AT, 12).trim(), 8);
    if (name === "" || !Number.isSafeInteger(size)) break;
    const start = at + TAR_BLOCK;
    files.set(name.replace(/^.*\//s, ""), archive.subarray(start, start + size));
    at = start + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
  }
  return files;
}

function readFolder(path: string): Map<string, Uint8Array> {
  const names = readdirSync(path).filter((name) => name.endsWith(".bin"));
  return new Map(names.map((name) => [name, readFileSync(join(path, name))]));
}

function unpack(path: string, bytes: Buffer): Map<string, Uint8Array> {
  try {
    return readTar(gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED }));
  } catch {
    throw new FlashFailure("files", `${path} does not unpack`, "copy it again, or build it again");
  }
}

function pick(path: string, files: Map<string, Uint8Array>): ImageFiles {
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

/** An image as it lies on disk: an archive, a folder, or one merged file. */
export function readImageFiles(path: string): ImageFiles {
  if (statSync(path).isDirectory()) return pick(path, readFolder(path));
  const bytes = readFileSync(path);
  if (GZIP.every((byte, index) => bytes[index] === byte)) return pick(path, unpack(path, bytes));
  return { kind: "merged", bytes };
}
