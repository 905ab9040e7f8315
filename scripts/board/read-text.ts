import { readFileSync } from "node:fs";

/** A file's text. What the system says of a failure then names the file: of a directory it does not. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw Object.assign(error as Error, { path });
  }
}
