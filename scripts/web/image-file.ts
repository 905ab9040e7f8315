import type { ImageFiles } from "../flash/image.ts";
import { failToUnpack, isGzip, MAX_UNPACKED, pickParts, readTar } from "../flash/image-archive.ts";

async function unpack(file: File): Promise<Map<string, Uint8Array>> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    for await (const piece of file.stream().pipeThrough(new DecompressionStream("gzip"))) {
      length += piece.length;
      if (length > MAX_UNPACKED) break;
      pieces.push(piece);
    }
  } catch {
    return failToUnpack(file.name);
  }
  if (length > MAX_UNPACKED) return failToUnpack(file.name);
  return readTar(new Uint8Array(await new Blob(pieces).arrayBuffer()));
}

/** An image as a person chose it: an archive, or one merged file. */
export async function readImageFile(file: File): Promise<ImageFiles> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  return isGzip(bytes) ? pickParts(file.name, await unpack(file)) : { kind: "merged", bytes };
}
