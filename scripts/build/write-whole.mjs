import { renameSync, rmSync, writeFileSync } from "node:fs";

/**
 * Puts a file in place whole or not at all: what was there before stays where the disk is full.
 * What goes wrong names the file.
 */
export function writeWhole(path, content) {
  const temporary = `${path}.${process.pid}.new`;
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw Object.assign(error, { path });
  }
}
