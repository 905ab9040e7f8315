import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { setupOrExplain } from "./setup.mjs";

/**
 * `npm start`: makes ready, then becomes `coseflow demo` with the arguments given. One
 * process, so a signal reaches the program itself and nothing is left behind.
 */
const program = resolve(join(import.meta.dirname, "..", "dist", "scripts", "coseflow.js"));

if (await setupOrExplain({ test: false })) {
  process.argv.splice(1, 1, program, "demo");
  await import(pathToFileURL(program));
} else {
  process.exitCode = 1;
}
