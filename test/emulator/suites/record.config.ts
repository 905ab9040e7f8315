/** Runs tests with a recorder between them and the device's code. */
import { readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { defineConfig } from "vitest/config";

const root = join(import.meta.dirname, "../../..");
const PREFIX = "\0recorded:";
const RECORDING = join(import.meta.dirname, "recording.ts");
const EXPORT = /^export (?:function|const|class) (\w+)/gm;

/** The code of the device, as it is for the file that asks for it. */
function deviceFile(source: string, importer: string | undefined): string | undefined {
  if (!importer || importer.startsWith(PREFIX) || !source.startsWith(".")) return undefined;
  const file = resolve(importer, "..", source);
  const isTest = relative(root, importer).startsWith("test/");
  return isTest && /^(protocol|firmware)\//.test(relative(root, file)) ? file : undefined;
}

function standInFor(file: string): string {
  const module = relative(root, file).replace(/\.ts$/, "");
  const names = [...readFileSync(file, "utf8").matchAll(EXPORT)].map(([, name]) => name as string);
  return [
    `import * as real from ${JSON.stringify(file)};`,
    `import { record } from ${JSON.stringify(RECORDING)};`,
    ...names.map((name) => `export const ${name} = record("${module}", "${name}", real.${name});`),
  ].join("\n");
}

export default defineConfig({
  root,
  plugins: [
    {
      name: "record",
      enforce: "pre",
      resolveId(source, importer) {
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
