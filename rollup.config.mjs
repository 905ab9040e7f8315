import { createBoardReader } from "./dist/scripts/board/validate.js";
import { projectOptions } from "./scripts/build/project.mjs";

/** `npm run build`: the bundles of all boards, as `coseflow build` makes them. */
export default projectOptions({ root: import.meta.dirname, readBoard: createBoardReader() });
