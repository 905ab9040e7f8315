import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A file system of so many MiB until the end of the test; undefined where none may be mounted. */
export function mountSmall(mebibytes: number): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "coseflow-small-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const options = ["-t", "tmpfs", "-o", `size=${mebibytes}M,nr_inodes=64`, "none", folder];
  if (spawnSync("mount", options).status !== 0) return undefined;
  onTestFinished(() => void execFileSync("umount", [folder]));
  return folder;
}
