import { join, relative, sep } from "node:path";
import { minify } from "terser";

/** Where a module of coseflow:cold is named: it stands in a function of the script, not at its top. */
const COLD = "cold:";

/**
 * Bytes of a script, and of its modules when each is minified alone: `modules` by name, `parts`
 * their sums by folder. `chunk` is rollup's, `coldModules` the [id, code] of each module of
 * `\0coseflow:cold`; `options` are terser's.
 */
export async function measure(chunk, coldModules, dist, options) {
  const modules = {};
  const parts = {};
  const record = async (id, code, prefix) => {
    const { code: minified } = await minify(code ?? "", options);
    const name = prefix + moduleName(id, dist);
    const part = prefix === COLD ? "cold" : partName(id, dist);
    modules[name] = (modules[name] ?? 0) + minified.length;
    parts[part] = (parts[part] ?? 0) + minified.length;
  };
  for (const [id, { code }] of Object.entries(chunk.modules))
    if (!isCold(id)) await record(id, code, "");
  if (Object.keys(chunk.modules).some(isCold))
    for (const [id, code] of coldModules) await record(id, code, COLD);
  return { bytes: chunk.code.length, parts: sorted(parts), modules: sorted(modules) };
}

const isCold = (id) => id === "\0coseflow:cold";

function sorted(sizes) {
  return Object.fromEntries(Object.entries(sizes).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function moduleName(id, dist) {
  if (id.startsWith("\0")) return id.slice(1);
  return relative(dist, id).replaceAll(sep, "/").replace(/\.js$/, "");
}

function partName(id, dist) {
  return id.startsWith("\0") ? "boards" : relative(dist, join(id, "..")).replaceAll(sep, "/");
}
