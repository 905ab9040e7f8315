import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DEPTH_BUDGET, measureDepths, readFrames, withDepths } from "./frames.mjs";

/**
 * record.mjs CHAINS FRAMES INTERPRETER: the depths from the chains in the file CHAINS and the
 * .su files in the folder FRAMES, into size.json and the README. INTERPRETER says of what.
 */
const native = resolve(import.meta.dirname, "../..");

function main([chains, folder, interpreter]) {
  if (interpreter === undefined) throw new Error("record.mjs, expected CHAINS FRAMES INTERPRETER");
  const files = readdirSync(folder).filter((name) => name.endsWith(".su"));
  const frames = readFrames(files.map((name) => readFileSync(join(folder, name), "utf8")));
  const { depths, unknown } = measureDepths(readFileSync(chains, "utf8"), frames);
  console.table(depths);
  console.log(`without a frame: ${unknown.join(", ")}`);
  const sizes = JSON.parse(readFileSync(join(native, "size.json"), "utf8"));
  const record = { interpreter, depths };
  writeFileSync(
    join(native, "size.json"),
    `${JSON.stringify({ ...sizes, espruino: record }, null, 2)}\n`,
  );
  const readme = join(native, "README.md");
  writeFileSync(readme, withDepths(readFileSync(readme, "utf8"), record));
  const deepest = Math.max(...Object.values(depths));
  if (deepest <= DEPTH_BUDGET) return 0;
  console.error(`depth: expected at most ${DEPTH_BUDGET}, got ${deepest}`);
  return 1;
}

process.exitCode = main(process.argv.slice(2));
