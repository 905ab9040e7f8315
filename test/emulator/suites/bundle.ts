/** The files of the device that a recording uses, with the player: one script for Espruino. */
import { writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { type RollupOutput, rollup } from "rollup";
import { minify } from "terser";
import { DRIVERS } from "../../../scripts/board/drivers.ts";
import { bundleOptions } from "../../../scripts/build/bundle.mjs";
import { COLD } from "../../../scripts/build/cold.mjs";
import { inlineConstants } from "../../../scripts/build/constants.mjs";
import { formatHits, gate } from "../../../scripts/build/gate.mjs";
import type { Log } from "./log.ts";

const DIST = join(import.meta.dirname, "../../../dist");
const ENTRY = "\0entry";
/** As in the bundle of a board: Espruino's errors keep as many spaces as their column. */
const LINE_LENGTH = 80;

function entry(exported: Log["exported"], file: string): string {
  const modules = [...new Set(exported.map(({ module }) => module))];
  const imports = modules.map(
    (module, at) => `import * as m${at} from ${JSON.stringify(join(DIST, `${module}.js`))};`,
  );
  const things = exported.map(
    ({ id, module, name }) => `things[${id}] = m${modules.indexOf(module)}.${name};`,
  );
  return `
    import { play } from ${JSON.stringify(join(DIST, "test/emulator/suites/player.js"))};
    ${imports.join("\n")}
    var things = {};
    ${things.join("\n")}
    function main() {
      play(things, {
        file: E.openFile(${JSON.stringify(file)}, "r"),
        print: print,
        fromBase64: atob,
        toArray: E.toUint8Array,
        fromArray: function (array) { return E.toString(array); },
        variables: function () { return process.memory().usage; },
      });
    }
    // Not while the script is read: its text would count as depth of the stack.
    setTimeout(main, 1);`;
}

/** What the bundle of a board with every part holds, by file: the rest of protocol/ is the cloud's. */
export async function deviceExports(directory: string): Promise<{ [module: string]: string[] }> {
  const boardFile = join(directory, "all.json");
  // With names of their own, so that what refines a sensor is there too.
  const sensors = DRIVERS.map(({ name }) => ({ driver: name, name, periodSeconds: 1, qos: 1 }));
  await writeFile(boardFile, JSON.stringify({ name: "all", network: "wifi", sensors, queue: {} }));
  const { output, ...input } = bundleOptions({ boardFile, dist: DIST, outputDirectory: directory });
  const found: { [module: string]: string[] } = {};
  // What is made for each use is in the bundle as text: it is looked at on its own.
  const cold = Object.values(COLD).map((file) => ({ input: join(DIST, "firmware", file) }));
  for (const options of [input, ...cold]) {
    const built = await rollup(options);
    const { output: chunks }: RollupOutput = await built.generate({ ...output, exports: "auto" });
    await built.close();
    for (const [id, { renderedExports }] of Object.entries(chunks[0].modules)) {
      const module = relative(DIST, id).replace(/\.js$/, "");
      found[module] = [...new Set([...(found[module] ?? []), ...renderedExports])];
    }
  }
  return found;
}

/** Reads the recording from this file in the interpreter's folder. */
export async function bundlePlayer({ exported }: Log, file: string): Promise<string> {
  const built = await rollup({
    input: ENTRY,
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === ENTRY ? id : null),
        load: (id) => (id === ENTRY ? entry(exported, file) : null),
      },
    ],
  });
  const { output } = await built.generate({
    format: "es",
    exports: "none",
    freeze: false,
    esModule: false,
    strict: false,
    generatedCode: { symbols: false },
  });
  await built.close();
  const { code = "" } = await minify(inlineConstants(output[0].code), {
    ecma: 2015,
    compress: false,
    mangle: { toplevel: true, reserved: ["of", "E", "print", "atob", "btoa"] },
    format: { ascii_only: true, comments: false, max_line_len: LINE_LENGTH },
  });
  const hits = gate(code);
  if (hits.length > 0) throw new Error(formatHits(file, hits));
  return code;
}
