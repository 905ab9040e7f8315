import { join, sep } from "node:path";
import { GLOBALS, pinNames } from "./gate/surface.mjs";
import { INTERNAL_PATTERN } from "./properties.mjs";

/** The longest line terser makes where it can break: see MINIFY. */
const LINE_LENGTH = 80;

/**
 * No inlining or reordering: both overwrite outer variables on Espruino. `of` is a
 * reserved word there, which terser would give out as a short name; names of globals
 * stay free, since the bundle's own names are globals too. Lines are short because every
 * Error there holds, for each function it was made in, as many spaces as the column.
 */
export const MINIFY = {
  ecma: 2015,
  compress: false,
  mangle: {
    toplevel: true,
    reserved: ["of", ...GLOBALS, ...pinNames()],
    properties: { regex: INTERNAL_PATTERN, keep_quoted: "strict", builtins: true },
  },
  format: { ascii_only: true, comments: false, max_line_len: LINE_LENGTH },
};

/** Of rollup's output: nothing that only other engines than Espruino have a use for. */
export const PLAIN = {
  freeze: false,
  esModule: false,
  strict: false,
  generatedCode: { symbols: false },
};

/** Relative imports may not leave the two folders that run on a device. */
export function fence(dist) {
  const allowed = ["firmware", "protocol"].map((folder) => join(dist, folder) + sep);
  return {
    name: "fence",
    load(id) {
      if (allowed.some((folder) => id.startsWith(folder))) return null;
      return this.error(`import, expected a file in firmware/ or protocol/, got ${id}`);
    },
  };
}
