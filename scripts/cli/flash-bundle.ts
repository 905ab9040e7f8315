import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { repositoryRoot } from "../../simulator/repository.ts";
import { BoardFaults, createBoardReader } from "../board/validate.ts";
import type * as MadeOf from "../build/made-of.mjs";
import { buildBoards } from "../bundle/build.ts";
import { FlashFailure } from "../flash/failure.ts";

/** Whether a bundle is whole, and made of the very files that are there now. */
export async function isCurrent(bundle: string, boardFile: string, dist: string): Promise<boolean> {
  const url = pathToFileURL(join(repositoryRoot(), "scripts", "build", "made-of.mjs")).href;
  const { madeOf, sha256 }: typeof MadeOf = await import(url);
  try {
    const recorded = JSON.parse(readFileSync(bundle.replace(/\.js$/, ".size.json"), "utf8"));
    return (
      recorded.sha256 === sha256(readFileSync(bundle)) &&
      recorded.madeOf === madeOf({ boardFile, dist })
    );
  } catch {
    // Not there, or not whole: it is built.
    return false;
  }
}

/** Builds the bundle of a board that has none, or where something that it is made of has changed. */
export async function bringBundleUpToDate(
  board: string,
  note: (text: string) => void,
): Promise<void> {
  const root = repositoryRoot();
  const boardFile = join(root, "boards", `${board}.json`);
  const outputDirectory = join(root, "build", "firmware");
  const bundle = join(outputDirectory, `${board}.js`);
  // A board that is not there is refused where its file is read.
  if (!existsSync(boardFile)) return;
  if (await isCurrent(bundle, boardFile, join(root, "dist"))) return;
  note(`${board}: building the bundle\n`);
  try {
    await buildBoards(
      { names: [board], outputDirectory, readBoard: createBoardReader() },
      () => {},
    );
  } catch (error) {
    if (!(error instanceof BoardFaults)) throw error;
    throw new FlashFailure("files", error.lines.join("; "), "correct the board file");
  }
}
