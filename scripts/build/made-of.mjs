import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const here = import.meta.dirname;

export const sha256 = (content) => createHash("sha256").update(content).digest("hex");

/** All scripts below a folder, in an order that does not depend on the file system. */
function scriptsIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.m?js$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** One number for what is in every bundle: the compiled sources, and the build with the packages it is made of. */
export function hashSources(dist) {
  const hash = createHash("sha256").update(readFileSync(join(here, "../../package.json")));
  for (const folder of [join(dist, "firmware"), join(dist, "protocol"), here])
    for (const file of scriptsIn(folder))
      hash.update(`${relative(folder, file)} ${sha256(readFileSync(file))}\n`);
  return hash.digest("hex");
}

/**
 * One number for all that decides what is in a bundle: the board file, the compiled sources and the
 * build itself. Not the day: a bundle of yesterday is as good.
 */
export function madeOf({ boardFile, dist }) {
  return createHash("sha256")
    .update(hashSources(dist))
    .update(readFileSync(boardFile))
    .digest("hex");
}
