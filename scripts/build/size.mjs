import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { listBoards } from "./boards.mjs";

/**
 * size.json records what every bundle costs, so that a change of size is a change in
 * a reviewed file. A quarter of the 512 KiB of Storage: a new bundle is written beside the
 * old one, and compaction needs room.
 */
export const LIMIT_BYTES = 131072;

/** Of 4,095 variables, while streaming with an empty queue: the rest is for data and the rare moments. */
export const LIMIT_VARIABLES = 1900;

const MEASURE =
  "bytes: the minified bundle as flashed. parts: each module minified alone, summed by folder " +
  "(names are shortened per module, so they do not add up to bytes); cold: what is made when it is needed.";

/** The record of what `npm run build` has made: { measure, limit, bundles: { <board>: sizes } }. */
export function measureBundles(root) {
  const bundles = {};
  for (const board of listBoards(join(root, "boards"))) {
    const file = join(root, "build", "firmware", `${board}.size.json`);
    const { bytes, parts } = readJson(file);
    bundles[board] = { bytes, parts };
  }
  return { measure: MEASURE, limit: LIMIT_BYTES, bundles };
}

/** What is wrong with the record or the sizes, one sentence each; empty when all is well. */
export function judgeSizes(recorded, measured) {
  const faults = [];
  const { variables, ...sizes } = recorded ?? {};
  const streaming = variables?.states?.streaming;
  if (!(streaming <= LIMIT_VARIABLES))
    faults.push(`variables, expected at most ${LIMIT_VARIABLES} while streaming, got ${streaming}`);
  for (const [board, { bytes }] of Object.entries(measured.bundles)) {
    if (bytes <= LIMIT_BYTES) continue;
    faults.push(`bundle ${board}: expected at most ${LIMIT_BYTES} bytes, got ${bytes}`);
  }
  if (JSON.stringify(sizes) !== JSON.stringify(measured)) {
    faults.push(
      `${differences(recorded, measured).join("\n")}\nRun \`npm run size\` to record it.`,
    );
  }
  return faults;
}

function differences(recorded, measured) {
  const before = flatten(recorded?.bundles ?? {});
  const after = flatten(measured.bundles);
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const changed = names.filter((name) => before[name] !== after[name]);
  if (changed.length === 0) return ["size.json: its notes or their order differ"];
  return changed.map((name) => {
    return `size.json: ${name}, recorded ${before[name] ?? "nothing"}, got ${after[name] ?? "nothing"}`;
  });
}

/** { linux: { bytes, parts } } as { "linux bytes": 1, "linux protocol/cose": 2 }. */
function flatten(bundles) {
  const sizes = {};
  for (const [board, { bytes, parts }] of Object.entries(bundles)) {
    sizes[`${board} bytes`] = bytes;
    for (const [part, size] of Object.entries(parts)) sizes[`${board} ${part}`] = size;
  }
  return sizes;
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file}: expected the sizes of a build (npm run build), got ${error.message}`);
  }
}

/** The record, or nothing before the first one. */
function readRecord(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function main(root, options) {
  const file = join(root, "size.json");
  const measured = measureBundles(root);
  if (!options.includes("--check")) {
    // Those need the interpreter: they stay as test/emulator has recorded them.
    const record = { ...measured, variables: readRecord(file)?.variables };
    writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`);
    return 0;
  }
  const faults = judgeSizes(readRecord(file), measured);
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = main(resolve(import.meta.dirname, "..", ".."), process.argv.slice(2));
}
