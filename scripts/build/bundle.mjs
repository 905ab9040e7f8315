import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { rollup } from "rollup";
import { minify } from "terser";
import { forgetBootOnly } from "./boot-only.mjs";
import { inlineConstants } from "./constants.mjs";
import { GLOBALS, pinNames } from "./gate/surface.mjs";
import { formatHits, gate } from "./gate.mjs";
import { madeOf, sha256 } from "./made-of.mjs";
import { measure } from "./measure.mjs";
import { INTERNAL_PATTERN } from "./properties.mjs";
import { writeWhole } from "./write-whole.mjs";

/** The longest line terser makes where it can break: see MINIFY. */
const LINE_LENGTH = 80;

/**
 * No inlining or reordering: both overwrite outer variables on Espruino. `of` is a
 * reserved word there, which terser would give out as a short name; names of globals
 * stay free, since the bundle's own names are globals too. Lines are short because every
 * Error there holds, for each function it was made in, as many spaces as the column.
 */
const MINIFY = {
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
const PLAIN = {
  freeze: false,
  esModule: false,
  strict: false,
  generatedCode: { symbols: false },
};

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

const DRIVER_NAME = /^[a-z][a-z0-9-]*$/;

/**
 * Rollup options for the bundle of one board: `dist`/firmware/main.js and what it
 * imports, as one minified script that has passed the gate. Every warning is an error,
 * and there is no resolver but the one for relative paths, so an import that leaves
 * `dist`/firmware and `dist`/protocol cannot be bundled.
 *
 * Beside the script, `<board>.size.json` records how many bytes each module and folder brings, and
 * what it was made of, by which `coseflow flash` knows one that is out of date. `readBoard`
 * gives the board as the firmware gets it; scripts/board/validate.ts has the one that judges it.
 */
export function bundleOptions({ boardFile, dist, outputDirectory, readBoard = readPlainBoard }) {
  const board = basename(boardFile, ".json");
  /** What coseflow:cold was made of, for the record of sizes. */
  const coldModules = [];
  return {
    input: join(dist, "firmware", "main.js"),
    onLog(level, log) {
      if (level === "warn") throw new Error(`bundle ${board}: ${log.message}`);
    },
    // What a board does not have is left out of try blocks too, and of all that they call.
    treeshake: { tryCatchDeoptimization: false },
    plugins: [
      virtualModules({ boardFile, dist, readBoard, coldModules }),
      fence(dist),
      finish(boardFile, dist, coldModules),
      { name: "output", generateBundle: writeOutput },
    ],
    output: {
      file: join(outputDirectory, `${board}.js`),
      // Not wrapped in a function: a scope of its own costs some 100 of 4,095 variables.
      format: "es",
      exports: "none",
      ...PLAIN,
    },
  };
}

/** The board file without what only editors (`$schema`) and `coseflow flash` read. */
function readPlainBoard(boardFile) {
  try {
    const { $schema, chip, flashMegabytes, ...board } = JSON.parse(readFileSync(boardFile, "utf8"));
    return board;
  } catch (error) {
    throw new Error(`${boardFile}: expected a JSON object, got ${error.message}`);
  }
}

/**
 * `coseflow:cold` has a function for each of COLD, with all of that module in it;
 * `coseflow:board` is the board's description, `coseflow:drivers` the factories its sensors name,
 * `coseflow:parts` what the board has: code for what it has not is left out of its bundle.
 */
function virtualModules({ boardFile, dist, readBoard, coldModules }) {
  const modules = {
    "coseflow:board": () => `export default ${JSON.stringify(readBoard(boardFile))};`,
    "coseflow:drivers": () => driversModule(readBoard(boardFile), boardFile, dist),
    "coseflow:parts": () => partsModule(readBoard(boardFile)),
    "coseflow:cold": (watch) => coldModule(dist, coldModules, watch),
  };
  return {
    name: "board",
    buildStart() {
      this.addWatchFile(boardFile);
    },
    resolveId: (id) => (Object.hasOwn(modules, id) ? `\0${id}` : null),
    load(id) {
      return id.startsWith("\0") ? modules[id.slice(1)]((file) => this.addWatchFile(file)) : null;
    },
  };
}

/** What is used a few times in a device's life: a call makes all of it, and nothing keeps it. */
async function coldModule(dist, modules, watch) {
  modules.length = 0;
  const functions = [];
  for (const [name, file] of Object.entries(COLD))
    functions.push(await coldFunction({ dist, name, file, modules, watch }));
  return functions.join("\n");
}

async function coldFunction({ dist, name, file, modules, watch }) {
  const built = await rollup({ input: join(dist, "firmware", file), plugins: [fence(dist)] });
  const { output } = await built.generate({ format: "cjs", exports: "named", ...PLAIN });
  built.watchFiles.forEach(watch);
  await built.close();
  // What is in both is in flash twice, and is twice in the list.
  modules.push(...Object.entries(output[0].modules).map(([id, { code }]) => [id, code]));
  const code = inlineConstants(output[0].code);
  return `export function ${name}() {\nconst exports = {};\n${code}\nreturn exports;\n}`;
}

const DAY = 86400;

/** The day of the build, so that two builds of a day are the same; SOURCE_DATE_EPOCH where it is set. */
function buildTime() {
  const seconds = Number(process.env.SOURCE_DATE_EPOCH ?? Math.floor(Date.now() / 1000));
  if (!Number.isSafeInteger(seconds) || seconds < 0)
    throw new Error(
      `SOURCE_DATE_EPOCH, expected Unix seconds, got ${process.env.SOURCE_DATE_EPOCH}`,
    );
  return seconds - (seconds % DAY);
}

function version() {
  return JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")).version;
}

/** The properties of a sensor that firmware/sensors/refine.ts is there for. */
const REFINEMENTS = ["range", "average", "alarm", "deadband", "name"];

function partsModule({ network, led, button, console, sleep, sensors = [] }) {
  const asksFor = (name) => sensors.some((sensor) => Object.hasOwn(sensor, name));
  const hasDriver = (...names) => sensors.some(({ driver }) => names.includes(driver));
  const parts = {
    BUILD_TIME: buildTime(),
    HAS_ONE_WIRE: hasDriver("ds18b20"),
    HAS_ANALOGUE: hasDriver("analogue"),
    HAS_INPUT: hasDriver("digital", "pulses"),
    HAS_DIGITAL: hasDriver("digital"),
    HAS_ALARM: asksFor("alarm"),
    IS_REFINED: REFINEMENTS.some(asksFor),
    IS_ESP32: network === "wifi",
    HAS_LED: led !== undefined,
    HAS_BUTTON: button !== undefined,
    IS_OPEN: console !== "locked",
    SLEEPS: sleep !== undefined && network === "wifi",
    STAYS_AWAKE: sleep !== undefined && network !== "wifi",
    VERSION: version(),
  };
  return Object.entries(parts)
    .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`)
    .join("\n");
}

function driversModule(board, boardFile, dist) {
  const names = [...new Set(board.sensors.map(({ driver }) => driver))].sort();
  for (const name of names) {
    if (!DRIVER_NAME.test(name)) {
      throw new Error(`${boardFile}: driver, expected a name like "bme280", got "${name}"`);
    }
  }
  const imports = names.map((name, index) => {
    const file = join(dist, "firmware", "sensors", `${name}.js`);
    return `import { createSensor as sensor${index} } from ${JSON.stringify(file)};`;
  });
  const entries = names.map((name, index) => `${JSON.stringify(name)}: sensor${index}`);
  return `${imports.join("\n")}\nexport default { ${entries.join(", ")} };`;
}

/** Relative imports may not leave the two folders that run on a device. */
function fence(dist) {
  const allowed = ["firmware", "protocol"].map((folder) => join(dist, folder) + sep);
  return {
    name: "fence",
    load(id) {
      if (allowed.some((folder) => id.startsWith(folder))) return null;
      return this.error(`import, expected a file in firmware/ or protocol/, got ${id}`);
    },
  };
}

/** In place of rollup, which leaves half a bundle on a full disk, and does not say of which file. */
async function writeOutput({ file }, bundle, isWrite) {
  if (!isWrite) return;
  const folder = dirname(file);
  await mkdir(folder, { recursive: true });
  for (const [name, output] of Object.entries(bundle)) {
    await writeWhole(join(folder, name), output.type === "chunk" ? output.code : output.source);
    delete bundle[name];
  }
}

/** Puts constants in place, has the boot's own functions deleted, minifies, then judges the final text. */
function finish(boardFile, dist, coldModules) {
  const board = basename(boardFile, ".json");
  return {
    name: "finish",
    renderChunk: (code) => minify(forgetBootOnly(inlineConstants(code)), MINIFY),
    async generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        const hits = gate(chunk.code);
        if (hits.length > 0) this.error(formatHits(chunk.fileName, hits));
        const sizes = await measure(chunk, coldModules, dist, MINIFY);
        const record = {
          ...sizes,
          sha256: sha256(chunk.code),
          madeOf: madeOf({ boardFile, dist }),
        };
        const source = JSON.stringify(record, null, 2);
        this.emitFile({ type: "asset", fileName: `${board}.size.json`, source: `${source}\n` });
      }
    },
  };
}
