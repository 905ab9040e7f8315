import { join, relative, sep } from "node:path";
import { minify } from "terser";

/** Where a module of coseflow:cold is named: it stands in a function of the script, not at its top. */
const COLD = "cold:";
const COLD_ID = "\0coseflow:cold";

/** Bytes of each of these modules, [id, code], when it is minified alone, by its name; `options` are terser's. */
export async function measureModules(modules, dist, options) {
  const sizes = {};
  for (const [id, code] of modules) {
    const { code: minified } = await minify(code ?? "", options);
    const name = moduleName(id, dist);
    sizes[name] = (sizes[name] ?? 0) + minified.length;
  }
  return sizes;
}

/**
 * Bytes of a script, and of its modules when each is minified alone: `modules` by name, `parts`
 * their sums by folder. `chunk` is rollup's, `coldSizes` those of the modules of coseflow:cold.
 */
export async function measure(chunk, coldSizes, dist, options) {
  const own = Object.entries(chunk.modules).filter(([id]) => id !== COLD_ID);
  const hasCold = own.length < Object.keys(chunk.modules).length;
  const sizes = await measureModules(
    own.map(([id, { code }]) => [id, code]),
    dist,
    options,
  );
  const cold = Object.entries(hasCold ? coldSizes : {});
  const parts = {};
  for (const [id] of own) {
    const part = partName(id, dist);
    parts[part] = (parts[part] ?? 0) + sizes[moduleName(id, dist)];
  }
  if (hasCold) parts.cold = cold.reduce((sum, [, bytes]) => sum + bytes, 0);
  const modules = { ...sizes, ...Object.fromEntries(cold.map(([name, n]) => [COLD + name, n])) };
  return { bytes: chunk.code.length, parts: sorted(parts), modules: sorted(modules) };
}

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
