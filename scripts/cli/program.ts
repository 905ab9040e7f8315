import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { type Command as CommanderCommand, CommanderError } from "commander";
import { repositoryRoot } from "../../simulator/repository.ts";
import { type AddCommand, loadCommands } from "./commands.ts";
import { EXIT_CODES, exitCodeOf, explain, JudgedAsFailed } from "./exit.ts";
import { EXIT } from "./exit-code.ts";
import { type Output, processOutput, type Streams } from "./output.ts";
import { inHouseWords, usageLine } from "./usage.ts";

const QUIET = "--quiet";

function version(): string {
  return JSON.parse(readFileSync(join(repositoryRoot(), "package.json"), "utf8")).version;
}

/** Every command that runs can be told to say no more than it must. */
function addQuiet(command: CommanderCommand): void {
  for (const child of command.commands) addQuiet(child);
  const isGroup = command.commands.length > 0;
  if (!isGroup && !command.options.some(({ long }) => long === QUIET))
    command.option(QUIET, "nothing on standard error but what goes wrong");
}

/** A wrong argument is quoted back, and a broker's URL may hold a password. */
function withoutPasswords(text: string): string {
  return text.replace(/\/\/[^\s/]*@/g, "//...@");
}

/** Of each command: only it knows its name when something is wrong with its line. */
function addUsageErrors(command: CommanderCommand, path: string, asJson: boolean): void {
  command.configureOutput({
    outputError: (text, write) =>
      write(usageLine(withoutPasswords(inHouseWords(text, path)), asJson)),
  });
  for (const child of command.commands) addUsageErrors(child, `${path} ${child.name()}`, asJson);
}

/**
 * The program with these commands, what they write going to `streams`; a wrong command line as
 * JSON where a program asks.
 */
export function createProgram(
  streams: Streams,
  commands: readonly AddCommand[],
  asJson = false,
): Command {
  let isQuiet = false;
  const output: Output = {
    ...streams,
    note(text) {
      if (!isQuiet) streams.error(text);
    },
  };
  const program = new Command("coseflow")
    .description(
      "End-to-end encrypted telemetry from microcontrollers, over MQTT brokers nobody has to trust.",
    )
    .version(version())
    .exitOverride()
    .hook("preAction", (_program, command) => {
      isQuiet = (command.opts() as { quiet?: boolean }).quiet === true;
    })
    .configureOutput({
      writeOut: output.out,
      writeErr: output.error,
    })
    .addHelpText(
      "after",
      `
Examples:
  $ coseflow demo
  $ coseflow ca init
  $ coseflow device register --key 04a1... --name greenhouse
  $ coseflow serve --broker mqtt://localhost --json

${EXIT_CODES}`,
    );
  for (const add of commands) add(program, output);
  addQuiet(program as unknown as CommanderCommand);
  addUsageErrors(program as unknown as CommanderCommand, program.name(), asJson);
  return program;
}

/** Runs one command line (without node and script); gives the exit code and never throws. */
export async function runCli(args: string[], output: Streams = processOutput): Promise<number> {
  try {
    const program = createProgram(output, await loadCommands(args), args.includes("--json"));
    await program.parseAsync(args, { from: "user" });
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof CommanderError || error instanceof JudgedAsFailed))
      output.error(withoutPasswords(`coseflow: ${explain(error)}\n`));
    return exitCodeOf(error);
  }
}
