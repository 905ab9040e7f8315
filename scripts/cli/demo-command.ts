import { type Command, Option } from "@commander-js/extra-typings";
import { runDemo } from "./demo.ts";
import { EXIT_CODES_RUNNING } from "./exit.ts";
import type { Output } from "./output.ts";
import { parseBoard, parseCount, parseDeviceBroker, parsePort } from "./parse.ts";
import { watchForStop } from "./stop.ts";

export function addDemoCommand(program: Command, output: Output): void {
  program
    .command("demo")
    .description("a broker, the cloud and a simulated board: what the broker sees, what arrives")
    .option("--board <board>", "file in boards/ of the board to simulate", parseBoard, "linux")
    .option("--readings <count>", "end after so many measurements", parseCount)
    .option("--json", "measurements as lines of JSON on standard output, and nothing else there")
    .addOption(
      new Option("--broker <url>", "mqtt://host:port of a broker of yours, instead of one in here")
        .argParser(parseDeviceBroker)
        .conflicts("port"),
    )
    .option("--port <port>", "port for the broker in here (default: any free one)", parsePort)
    .addHelpText(
      "after",
      `
Ctrl-C ends it. Its keys and database are made for it and removed at the end.

${EXIT_CODES_RUNNING}

Examples:
  $ coseflow demo --board esp32-c3-devkitm-1
  $ coseflow demo --readings 5 --json
  $ coseflow demo --broker mqtt://broker.example`,
    )
    .action(async (options) => {
      const { stopped, unwatch } = watchForStop();
      try {
        await runDemo({
          board: options.board,
          readings: options.readings,
          json: options.json ?? false,
          broker: options.broker,
          port: options.port ?? 0,
          stdout: (line) => output.out(`${line}\n`),
          stderr: (line) => output.note(`${line}\n`),
          stopped,
        });
      } finally {
        unwatch();
      }
    });
}
