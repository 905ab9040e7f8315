import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { rollup } from "rollup";
import { repositoryRoot } from "../../simulator/repository.ts";

/** esptool-js with all it needs in one file; the one that Node gets imports JSON and CommonJS. */
const LOADER = join(dirname(createRequire(import.meta.url).resolve("esptool-js")), "../bundle.js");

/** The script of the flashing page: the core of flashing, bundled for a browser. */
export async function bundlePage(): Promise<string> {
  const bundle = await rollup({
    input: join(repositoryRoot(), "dist", "scripts", "web", "main.js"),
    plugins: [{ name: "loader", resolveId: (id) => (id === "esptool-js" ? LOADER : null) }],
    onwarn(warning) {
      throw new Error(`page, expected to be bundled, got ${warning.message}`);
    },
  });
  try {
    const { output } = await bundle.generate({ format: "es" });
    return output[0].code;
  } finally {
    await bundle.close();
  }
}
