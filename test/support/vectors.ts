import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BESIDE_THE_REPOSITORY = fileURLToPath(new URL("../../../shared/vectors", import.meta.url));

/** The published vectors, which are not part of this repository; undefined where there are none. */
export function findVectors(folder: string): string | undefined {
  const path = join(process.env.VECTORS ?? BESIDE_THE_REPOSITORY, folder);
  return existsSync(path) ? path : undefined;
}

/** Every JSON file of such a folder by its name; nothing, and a line that says so, where there is none. */
export function readVectors<T>(folder: string): [string, T][] {
  const path = findVectors(folder);
  if (path === undefined) {
    console.log(`vectors "${folder}": none in VECTORS or ../shared/vectors, skipped`);
    return [];
  }
  const names = readdirSync(path).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => [name, JSON.parse(readFileSync(join(path, name), "utf8"))]);
}
