import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { setupOrExplain } from "./setup.mjs";

/**
 * `npm start`: makes ready, then becomes `coseflow demo` with the arguments given. One
 * process, so a signal reaches the program itself and nothing is left behind.
 *
 * npm writes two lines of its own on stdout before it starts anything. `npm start --json`
 * makes npm write them on stderr and name the option in the environment only.
 */
const program = resolve(join(import.meta.dirname, "..", "dist", "scripts", "coseflow.js"));
const fromNpm = process.env.npm_config_json === "true" ? ["--json"] : [];

if (await setupOrExplain({ test: false })) {
  process.argv.splice(1, 1, program, "demo", ...fromNpm);
  await import(pathToFileURL(program));
} else {
  process.exitCode = 1;
}
