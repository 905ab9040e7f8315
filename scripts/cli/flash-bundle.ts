import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../../simulator/repository.ts";
import { BoardFaults, createBoardReader } from "../board/validate.ts";
import { buildBoards } from "../bundle/build.ts";
import { FlashFailure } from "../flash/failure.ts";

/** Builds the bundle of a board that has none, or whose board file was changed since. */
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
  if (existsSync(bundle) && statSync(bundle).mtimeMs >= statSync(boardFile).mtimeMs) return;
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
