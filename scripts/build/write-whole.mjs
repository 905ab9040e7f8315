import { rmSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";

/**
 * Puts a file in place whole or not at all: what was there before stays where the disk is full,
 * or a signal ends the process. What goes wrong names the file.
 */
export async function writeWhole(path, content) {
  const temporary = `${path}.${process.pid}.new`;
  const clean = () => rmSync(temporary, { force: true });
  process.once("exit", clean);
  try {
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch (error) {
    clean();
    throw Object.assign(error, { path });
  } finally {
    process.removeListener("exit", clean);
  }
}
