import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** The folder itself, or the nearest above it that is there. */
export function nearestFolder(path: string): string {
  let folder = resolve(path);
  while (!existsSync(folder)) folder = dirname(folder);
  return realpathSync(folder);
}

/** The kernel writes blanks in paths as octal numbers. */
function withoutOctal(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}

/** The type of the file system that a folder is on, as the kernel lists it: "ext4", "tmpfs", "nfs4". */
export function fileSystemOf(proc: string, folder: string): string {
  const mounts = readFileSync(join(proc, "self", "mounts"), "utf8")
    .trim()
    .split("\n");
  let longest = "";
  let found = "unknown";
  for (const line of mounts) {
    const [, raw = "", type = ""] = line.split(" ");
    const point = withoutOctal(raw);
    const isAbove = folder === point || folder.startsWith(point.replace(/\/?$/, "/"));
    // A later mount on the same point hides the one before.
    if (!isAbove || point.length < longest.length) continue;
    longest = point;
    found = type;
  }
  return found;
}
