import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Command } from "@commander-js/extra-typings";
import { repositoryRoot } from "../../simulator/repository.ts";
import { readText } from "../board/read-file.ts";
import { thisMachine } from "../doctor/machine.ts";
import { ConsoleLost, openConsole } from "../flash/console.ts";
import { choosePort, machinePort } from "../serial/open-port.ts";
import { createLineRunner, hideSecrets, refusalOf, secretsOf } from "../serial/repl.ts";
import { JudgedAsFailed } from "./exit.ts";
import { EXIT } from "./exit-code.ts";
import { type Output, printable } from "./output.ts";
import { parseBoard } from "./parse.ts";
import { endOnSignal } from "./stop.ts";

function readSecrets(file: string | undefined, board: string | undefined): string[] {
  const usual = board && join(repositoryRoot(), "boards", `${board}.secrets.json`);
  const path = file ?? (usual && existsSync(usual) ? usual : undefined);
  if (path === undefined) return [];
  try {
    return secretsOf(JSON.parse(readText(path)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
    throw new Error(`${path}, expected JSON, got something else`);
  }
}

export function addReplCommand(program: Command, output: Output): void {
  program
    .command("repl")
    .description("send lines to a board's console, and show what it answers")
    .option("--port <path>", "serial port (default: the only one there is)")
    .option(
      "--board <name>",
      "file in boards/, whose secrets are neither sent nor shown",
      parseBoard,
    )
    .option("--settings <file>", "settings whose secrets are neither sent nor shown")
    .option("--json", "one line of JSON for each line of the answer")
    .addHelpText(
      "after",
      `
Lines come from standard input, a terminal or not, and each is run before the next. Lines that would
show the settings, keys or memory are not sent: this keeps a secret off the screen, and no attacker
away. A console that the bundle locks does not answer.

Exit codes: 0 every line was run, also when Ctrl-C at a terminal ends it; 1 one was not, or the
port is gone; 2 the command line is wrong.

Examples:
  $ coseflow repl
  $ echo 'status()' | coseflow repl --port /dev/ttyACM0`,
    )
    .action(async ({ port: given, board, settings, json }) => {
      const machine = thisMachine();
      const secrets = readSecrets(settings, board);
      const port = machinePort(choosePort(given, machine), machine);
      const isTerminal = process.stdin.isTTY === true;
      let sound = true;
      let isRunning = false;
      const unwatch = endOnSignal((signal) => {
        if (isTerminal && !isRunning) return sound ? EXIT.ok : EXIT.failure;
        const left = isRunning ? "the last line may run on" : "lines may be left";
        output.error(`stopped by ${signal}: ${left}\n`);
        return EXIT.failure;
      });
      const console = await openConsole(port).catch((error) => {
        unwatch();
        throw error;
      });
      const run = createLineRunner(console, (line) => {
        const text = printable(hideSecrets(line, secrets));
        output.out(`${json ? JSON.stringify({ text }) : text}\n`);
      });
      const input = createInterface({ input: process.stdin });
      const prompt = () => isTerminal && output.note("> ");
      try {
        prompt();
        for await (const line of input) {
          const refusal = refusalOf(line, secrets);
          if (refusal !== undefined) output.error(`not sent: ${refusal}\n`);
          else if (line.trim() !== "") {
            isRunning = true;
            if (!(await run(line))) {
              if (console.isLost) throw new ConsoleLost();
              output.error("no end: a bracket is open, it runs on, or nobody answers\n");
              sound = false;
            }
            isRunning = false;
          }
          sound &&= refusal === undefined || isTerminal;
          prompt();
        }
      } catch (error) {
        if (!(error instanceof ConsoleLost)) throw error;
        throw new Error("port, expected it to stay, got its end; next: plug the board in again");
      } finally {
        unwatch();
        input.close();
        await console.close();
      }
      if (!sound) throw new JudgedAsFailed();
    });
}
