/**
 * `coseflow:cold`: what a device does a few times in its life, in one function for each of COLD.
 * It is the same for every board and takes most of a build's time, so it is kept in `dist`/cold
 * until the compiled sources or the build change.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { rollup } from "rollup";
import { inlineConstants } from "./constants.mjs";
import { hashSources } from "./made-of.mjs";
import { measureModules } from "./measure.mjs";
import { fence, MINIFY, PLAIN } from "./script.mjs";
import { writeWhole } from "./write-whole.mjs";

/** What is made for each use, by the function that makes it: as little at a time as will do. */
export const COLD = {
  loadCold: "cold.js",
  loadEnrolment: "provision/enrol.js",
  loadCommand: "provision/run-command.js",
  loadReply: "provision/conclude.js",
  loadRoll: "provision/roll.js",
  loadCertify: "provision/certify.js",
  loadSetup: "espruino/setup.js",
};

/**
 * `code` of the module, bytes of each module in it when it is minified alone, and the files it was
 * made of, relative to `dist`.
 */
export async function loadColdModule(dist) {
  const folder = join(dist, "cold");
  const file = `${hashSources(dist)}.json`;
  try {
    return JSON.parse(readFileSync(join(folder, file), "utf8"));
  } catch {
    // Not there yet, or cut off.
  }
  const made = await makeColdModule(dist);
  await keep(folder, file, JSON.stringify(made));
  return made;
}

/** A call makes all of it, and nothing keeps it. What is in two of them is in flash twice, and counted twice. */
async function makeColdModule(dist) {
  const functions = [];
  const modules = [];
  const files = new Set();
  for (const [name, entry] of Object.entries(COLD)) {
    const built = await rollup({ input: join(dist, "firmware", entry), plugins: [fence(dist)] });
    const { output } = await built.generate({ format: "cjs", exports: "named", ...PLAIN });
    await built.close();
    for (const id of built.watchFiles) files.add(relative(dist, id));
    modules.push(...Object.entries(output[0].modules).map(([id, { code }]) => [id, code]));
    const code = inlineConstants(output[0].code);
    functions.push(`export function ${name}() {\nconst exports = {};\n${code}\nreturn exports;\n}`);
  }
  const sizes = await measureModules(modules, dist, MINIFY);
  return { code: functions.join("\n"), sizes, files: [...files].sort() };
}

/** In place of what was kept before. */
async function keep(folder, file, content) {
  try {
    mkdirSync(folder, { recursive: true });
    const before = readdirSync(folder).filter((name) => name.endsWith(".json"));
    await writeWhole(join(folder, file), content);
    for (const name of before) if (name !== file) rmSync(join(folder, name), { force: true });
  } catch {
    // A folder that may not be written to, or a full disk: it is made anew the next time.
  }
}
