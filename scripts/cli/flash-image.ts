import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { readBytes } from "../board/read-file.ts";
import type { ImageFiles } from "../flash/image.ts";
import { failToUnpack, isGzip, MAX_UNPACKED, pickParts, readTar } from "../flash/image-archive.ts";

function readFolder(path: string): Map<string, Uint8Array> {
  const names = readdirSync(path).filter((name) => name.endsWith(".bin"));
  return new Map(names.map((name) => [name, readBytes(join(path, name))]));
}

function unpack(path: string, bytes: Buffer): Map<string, Uint8Array> {
  try {
    return readTar(gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED }));
  } catch {
    return failToUnpack(path);
  }
}

/** An image as it lies on disk: an archive, a folder, or one merged file. */
export function readImageFiles(path: string): ImageFiles {
  if (statSync(path).isDirectory()) return pickParts(path, readFolder(path));
  const bytes = readBytes(path);
  return isGzip(bytes) ? pickParts(path, unpack(path, bytes)) : { kind: "merged", bytes };
}
