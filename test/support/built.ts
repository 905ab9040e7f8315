import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OutputOptions, rollup } from "rollup";
import { bundleOptions } from "../../scripts/build/bundle.mjs";
import type { BoardFiles } from "../../simulator/launch.ts";

const root = join(import.meta.dirname, "..", "..");
const dist = join(root, "dist");

/** The compiled command line; system tests run what a user runs. */
export const CLI = join(dist, "scripts", "coseflow.js");

if (!existsSync(CLI)) throw new Error(`${CLI}, expected the build (npm run build), got nothing`);

/** A folder of its own for a test, removed by the returned function. */
export async function temporaryDirectory(name: string): Promise<[string, () => Promise<void>]> {
  const directory = await mkdtemp(join(tmpdir(), `coseflow-${name}-`));
  return [directory, () => rm(directory, { recursive: true, force: true })];
}

/** The board `name` as a test wants it, bundled as every board is. */
export async function bundleBoard(directory: string, board: { name: string }): Promise<BoardFiles> {
  const boardFile = join(directory, `${board.name}.json`);
  await writeFile(boardFile, JSON.stringify(board));
  const { output, ...input } = bundleOptions({ boardFile, dist, outputDirectory: directory });
  const built = await rollup(input);
  await built.write(output as OutputOptions);
  await built.close();
  return { board: boardFile, bundle: join(directory, `${board.name}.js`) };
}
