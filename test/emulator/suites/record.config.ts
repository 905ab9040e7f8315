/** Runs tests with a recorder between them and the device's code. */
import { readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { defineConfig } from "vitest/config";

const root = join(import.meta.dirname, "../../..");
const PREFIX = "\0recorded:";
const RECORDING = join(import.meta.dirname, "recording.ts");
const EXPORT = /^export (?:function|const|class) (\w+)/gm;
/** What a file only hands on, as firmware/cold.ts does, and where it has it from. */
const HANDED_ON = /^export \{([^}]*)\};/gm;
const IMPORT = /^import \{([^}]*)\} from "(\.[^"]*)";/gm;
/** Before the path of a file that a stand-in hands on from another stand-in. */
const STAND_IN = "stand-in:";

/** The code of the device, as it is for the file that asks for it. */
function deviceFile(source: string, importer: string | undefined): string | undefined {
  if (!importer || importer.startsWith(PREFIX) || !source.startsWith(".")) return undefined;
  const file = resolve(importer, "..", source);
  const isTest = relative(root, importer).startsWith("test/");
  return isTest && /^(protocol|firmware)\//.test(relative(root, file)) ? file : undefined;
}

const namesIn = (list: string) => list.split(",").flatMap((name) => name.trim() || []);

/** A test and a factory's user have one stand-in of a function, whichever file they take it from. */
function handOn(file: string, text: string): string[] {
  const names = [...text.matchAll(HANDED_ON)].flatMap(([, list]) => namesIn(list as string));
  return [...text.matchAll(IMPORT)].flatMap(([, list, source]) => {
    const from = STAND_IN + resolve(file, "..", source as string);
    const wanted = namesIn(list as string).filter((name) => names.includes(name));
    return wanted.map((name) => `export { ${name} } from ${JSON.stringify(from)};`);
  });
}

function standInFor(file: string): string {
  const module = relative(root, file).replace(/\.ts$/, "");
  const text = readFileSync(file, "utf8");
  const names = [...text.matchAll(EXPORT)].map(([, name]) => name as string);
  return [
    `import * as real from ${JSON.stringify(file)};`,
    `import { record } from ${JSON.stringify(RECORDING)};`,
    ...names.map((name) => `export const ${name} = record("${module}", "${name}", real.${name});`),
    ...handOn(file, text),
  ].join("\n");
}

export default defineConfig({
  root,
  plugins: [
    {
      name: "record",
      enforce: "pre",
      resolveId(source, importer) {
        if (source.startsWith(STAND_IN)) return PREFIX + source.slice(STAND_IN.length);
        const file = deviceFile(source, importer);
        return file && PREFIX + file;
      },
      load: (id) => (id.startsWith(PREFIX) ? standInFor(id.slice(PREFIX.length)) : null),
    },
  ],
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: [RECORDING],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
  },
});
