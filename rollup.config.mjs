import { join } from "node:path";
import { createBoardReader } from "./dist/scripts/board/validate.js";
import { listBoards } from "./scripts/build/boards.mjs";
import { bundleOptions } from "./scripts/build/bundle.mjs";

/** One firmware bundle for each board: boards/<board>.json makes build/firmware/<board>.js. */
const root = import.meta.dirname;
const readBoard = createBoardReader();

export default listBoards(join(root, "boards")).map((board) =>
  bundleOptions({
    boardFile: join(root, "boards", `${board}.json`),
    dist: join(root, "dist"),
    outputDirectory: join(root, "build", "firmware"),
    readBoard,
  }),
);
