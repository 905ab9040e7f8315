import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { minify } from "terser";
import { forgetBootOnly } from "./boot-only.mjs";
import { loadColdModule } from "./cold.mjs";
import { inlineConstants } from "./constants.mjs";
import { formatHits, gate } from "./gate.mjs";
import { madeOf, sha256 } from "./made-of.mjs";
import { measure } from "./measure.mjs";
import { fence, MINIFY, PLAIN } from "./script.mjs";
import { writeWhole } from "./write-whole.mjs";

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
  /** Of coseflow:cold: what each of its modules brings. */
  const coldSizes = {};
  return {
    input: join(dist, "firmware", "main.js"),
    onLog(level, log) {
      if (level === "warn") throw new Error(`bundle ${board}: ${log.message}`);
    },
    // What a board does not have is left out of try blocks too, and of all that they call.
    treeshake: { tryCatchDeoptimization: false },
    plugins: [
      virtualModules({ boardFile, dist, readBoard, coldSizes }),
      fence(dist),
      finish(boardFile, dist, coldSizes),
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
 * `coseflow:board` is the board's description, `coseflow:drivers` the factories its sensors name,
 * `coseflow:parts` what the board has: code for what it has not is left out of its bundle.
 * `coseflow:cold` is the same for all.
 */
function virtualModules({ boardFile, dist, readBoard, coldSizes }) {
  const modules = {
    "coseflow:board": () => `export default ${JSON.stringify(readBoard(boardFile))};`,
    "coseflow:drivers": () => driversModule(readBoard(boardFile), boardFile, dist),
    "coseflow:parts": () => partsModule(readBoard(boardFile)),
    "coseflow:cold": async (watch) => {
      const { code, sizes, files } = await loadColdModule(dist);
      for (const file of files) watch(join(dist, file));
      Object.assign(coldSizes, sizes);
      return code;
    },
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
export const REFINEMENTS = ["range", "average", "alarm", "deadband", "name"];

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
function finish(boardFile, dist, coldSizes) {
  const board = basename(boardFile, ".json");
  return {
    name: "finish",
    renderChunk: (code) => minify(forgetBootOnly(inlineConstants(code)), MINIFY),
    async generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        const hits = gate(chunk.code);
        if (hits.length > 0) this.error(formatHits(chunk.fileName, hits));
        const sizes = await measure(chunk, coldSizes, dist, MINIFY);
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
