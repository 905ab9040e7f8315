import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "@commander-js/extra-typings";
import { repositoryRoot } from "../../simulator/repository.ts";
import { BoardFaults, createBoardReader } from "../board/validate.ts";
import { type Built, buildBoards, watchBoards } from "../bundle/build.ts";
import { explain, JudgedAsFailed } from "./exit.ts";
import { type Output, printable } from "./output.ts";
import { parseBoard } from "./parse.ts";
import { watchForStop } from "./stop.ts";
import { table } from "./table.ts";

function boardNames(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => /^[^.]+\.json$/.test(file))
    .map((file) => file.replace(/\.json$/, ""))
    .sort();
}

const percent = (part: number, whole: number) => `${Math.round((part / whole) * 100)} %`;

/** Whoever builds it can still leave a sensor out. */
function memoryOf({ memory }: Built): string {
  const { streaming, most, variables } = memory;
  return `about ${streaming} of ${variables} variables while it streams (at most ${most})`;
}

function summary(built: Built): string {
  const { board, file, bytes, limit, sha256 } = built;
  const share = percent(bytes, limit);
  return `${board}: ${bytes} of at most ${limit} bytes (${share})\n${memoryOf(built)}\n${file}, sha256 ${sha256}\n`;
}

/** The largest first. */
function moduleTable({ modules }: Built): string {
  const rows = Object.entries(modules)
    .sort(([, a], [, b]) => b - a)
    .map(([name, bytes]) => [`${bytes}`.padStart(6), name]);
  return table([" bytes", "module, minified alone"], rows);
}

export function addBuildCommand(program: Command, output: Output): void {
  const root = repositoryRoot();
  program
    .command("build")
    .description("make the bundle of a board, and say what is in it")
    .argument("[board]", "file in boards/ (default: all, without their modules)", parseBoard)
    .option("--output <directory>", "where to write", join(root, "build", "firmware"))
    .option("--watch", "build again whenever the board file or the compiled firmware changes")
    .option("--json", "one line of JSON for each bundle")
    .option("--quiet", "only what is wrong")
    .addHelpText(
      "after",
      `
The bundle is the same for the same sources and day, or SOURCE_DATE_EPOCH where it is set. Modules under
"cold:" are made when they are needed, and take no memory before. --watch ends with Ctrl-C; beside it,
\`npx tsc -b --watch\` compiles what is changed in the sources.

Exit codes: 0 all bundles are made and none is too large, 1 one is not, 2 the command line is wrong.

Examples:
  $ coseflow build esp32-c3-supermini
  $ coseflow build --json
  $ coseflow build greenhouse --watch`,
    )
    .action(async (board, options) => {
      const names = board === undefined ? boardNames(join(root, "boards")) : [board];
      const plan = {
        names,
        outputDirectory: resolve(options.output),
        readBoard: createBoardReader(),
      };
      let sound = true;
      const built = (result: Built) => {
        if (options.json) output.out(`${JSON.stringify(result)}\n`);
        else if (!options.quiet)
          output.out(summary(result) + (board === undefined ? "" : moduleTable(result)));
        if (result.bytes <= result.limit) return;
        sound = false;
        const { bytes, limit } = result;
        output.error(`${result.board}: bundle, expected at most ${limit} bytes, got ${bytes}\n`);
      };
      const failed = (error: unknown) => {
        sound = false;
        const faults = error instanceof BoardFaults ? error.lines : [explain(error)];
        for (const line of faults) output.error(`${printable(line)}\n`);
      };
      if (options.watch) await watchUntilStopped(plan, built, failed);
      else await buildBoards(plan, built).catch(failed);
      if (!sound && !options.watch) throw new JudgedAsFailed();
    });
}

async function watchUntilStopped(...args: Parameters<typeof watchBoards>): Promise<void> {
  const { stopped, unwatch } = watchForStop();
  try {
    const end = await watchBoards(...args);
    try {
      await stopped;
    } finally {
      await end();
    }
  } finally {
    unwatch();
  }
}
