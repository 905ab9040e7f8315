import { readFileSync } from "node:fs";

/** What the system says of a failure names the file then: of a directory it does not. */
function naming<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw Object.assign(error as Error, { path });
  }
}

export const readText = (path: string): string => naming(path, () => readFileSync(path, "utf8"));

export const readBytes = (path: string): Buffer => naming(path, () => readFileSync(path));
