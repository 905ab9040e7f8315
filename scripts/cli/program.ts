import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "@commander-js/extra-typings";
import { CommanderError } from "commander";
import { addDemoCommand } from "./demo-command.ts";
import { addDeviceCommand } from "./device.ts";
import { EXIT, exitCodeOf, explain } from "./exit.ts";
import { addKeysCommand } from "./keys.ts";
import { type Output, processOutput } from "./output.ts";
import { addServeCommand } from "./serve.ts";
import { addSimulateCommand } from "./simulate.ts";

/** The version in package.json, which lies above this file in the source and in dist/. */
function version(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
}

/** A wrong argument is quoted back, and a broker's URL may hold a password. */
function withoutPasswords(text: string): string {
  return text.replace(/\/\/[^\s/]*@/g, "//...@");
}

function createProgram(output: Output): Command {
  const program = new Command("coseflow")
    .description(
      "End-to-end encrypted telemetry from microcontrollers, over MQTT brokers nobody has to trust.",
    )
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: output.out,
      writeErr: output.error,
      outputError: (text, write) => write(withoutPasswords(text.replace(/^error: /, "coseflow: "))),
    })
    .addHelpText(
      "after",
      `
Examples:
  $ coseflow demo
  $ coseflow keys init
  $ coseflow device register --key 04a1... --name greenhouse
  $ coseflow serve --broker mqtt://localhost --json

Exit codes: 0 all went well, 1 it failed, 2 the command line is wrong.`,
    );
  addKeysCommand(program, output);
  addDeviceCommand(program, output);
  addServeCommand(program, output);
  addSimulateCommand(program, output);
  addDemoCommand(program, output);
  return program;
}

/** Runs one command line (without node and script); gives the exit code and never throws. */
export async function runCli(args: string[], output: Output = processOutput): Promise<number> {
  try {
    await createProgram(output).parseAsync(args, { from: "user" });
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof CommanderError))
      output.error(withoutPasswords(`coseflow: ${explain(error)}\n`));
    return exitCodeOf(error);
  }
}
