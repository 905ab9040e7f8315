#!/usr/bin/env node
import { guardProcess } from "./cli/guard.ts";
import { runCli } from "./cli/program.ts";

const end = guardProcess();
end(await runCli(process.argv.slice(2)));
