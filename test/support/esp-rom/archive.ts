/** An image as Espruino's build packs it. */
import { gzipSync } from "node:zlib";
import type { makeParts } from "./image.ts";

/** A tar archive, as far as it is read. */
export function makeTgz(files: Record<string, Uint8Array>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, bytes]) => {
    const head = Buffer.alloc(512);
    head.write(`espruino_2v29_esp32c3/${name}`, 0);
    head.write(bytes.length.toString(8).padStart(11, "0"), 124);
    return [head, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** The files by the names that the build gives them. */
export const named = ({
  bootloader,
  partitionTable,
  application,
}: ReturnType<typeof makeParts>) => ({
  "README_flash.txt": new Uint8Array(3),
  "bootloader.bin": bootloader,
  "partition-table.bin": partitionTable,
  "espruino-esp32c3.bin": application,
});
