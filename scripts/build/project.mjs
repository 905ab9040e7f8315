import { join } from "node:path";
import { listBoards } from "./boards.mjs";
import { bundleOptions } from "./bundle.mjs";

/** Where a checkout has its boards, its compiled sources and its bundles. */
export function projectFolders(root) {
  return {
    boards: join(root, "boards"),
    dist: join(root, "dist"),
    bundles: join(root, "build", "firmware"),
  };
}

/** Rollup's options for the bundles of all boards, or of those named: boards/<board>.json makes <board>.js. */
export function projectOptions({ root, readBoard, names, outputDirectory }) {
  const { boards, dist, bundles } = projectFolders(root);
  return (names ?? listBoards(boards)).map((name) =>
    bundleOptions({
      boardFile: join(boards, `${name}.json`),
      dist,
      outputDirectory: outputDirectory ?? bundles,
      readBoard,
    }),
  );
}
