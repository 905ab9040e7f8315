import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { bad, type Check, ok, warn } from "./check.ts";
import { nearestFolder } from "./file-systems.ts";

const MIB = 1024 * 1024;
/** SQLite's journal alone grows to some MiB; below this the next burst fills the disk. */
const LEAST_BYTES = 16 * MIB;
/** A device that measures each minute fills this in about ten years. */
const LOW_BYTES = 512 * MIB;

/** Room for the database at `path`. */
export function diskCheck(path: string): Check {
  const folder = nearestFolder(dirname(path));
  return {
    name: "disk",
    async run() {
      const { bavail, bsize, files, ffree } = statfsSync(folder);
      const free = bavail * bsize;
      const text = `${Math.floor(free / MIB)} MiB free at ${folder}`;
      const look = `df -h ${folder}; du -xh ${folder} | sort -h | tail`;
      if (files > 0 && ffree === 0)
        return [bad(`no inode free at ${folder}`, "no file can be made", `df -i ${folder}`)];
      if (free < LEAST_BYTES)
        return [bad(text, "the cloud stops taking messages when the disk is full", look)];
      if (free < LOW_BYTES)
        return [warn(text, "the cloud stops taking messages when the disk is full", look)];
      return [ok(text)];
    },
  };
}
