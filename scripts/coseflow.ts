#!/usr/bin/env node
import { guardProcess } from "./cli/guard.ts";

const end = guardProcess();
// Loading takes long enough for a signal to come.
const { runCli } = await import("./cli/program.ts");
end(await runCli(process.argv.slice(2)));
