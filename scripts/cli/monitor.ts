import type { Command } from "@commander-js/extra-typings";
import { thisMachine } from "../doctor/machine.ts";
import { monitor } from "../serial/monitor.ts";
import { choosePort, machinePort } from "../serial/open-port.ts";
import { type Output, printable } from "./output.ts";
import { watchForStop } from "./stop.ts";

export function addMonitorCommand(program: Command, output: Output): void {
  program
    .command("monitor")
    .description("show what a board prints, also after it was unplugged, until Ctrl-C")
    .option("--port <path>", "serial port (default: the only one there is)")
    .option("--timestamps", "the time before each line")
    .option("--json", "one line of JSON for each line: its time and text")
    .option("--quiet", "nothing about the port itself")
    .addHelpText(
      "after",
      `
It only listens, and the board is not reset by it. What the board prints is on standard output,
what happens to the port on standard error.

Exit codes: 0 it was told to stop, 1 the port does not open, 2 the command line is wrong.

Examples:
  $ coseflow monitor
  $ coseflow monitor --port /dev/ttyUSB0 --timestamps > board.log`,
    )
    .action(async ({ port: given, timestamps, json, quiet }) => {
      const machine = thisMachine();
      const path = choosePort(given, machine);
      const { stopped, unwatch } = watchForStop();
      try {
        await monitor(machinePort(path, machine), {
          stopped,
          onLine(line) {
            const time = new Date().toISOString();
            const text = printable(line);
            if (json) output.out(`${JSON.stringify({ time, text })}\n`);
            else output.out(timestamps ? `${time} ${text}\n` : `${text}\n`);
          },
          onPort(text) {
            if (!quiet) output.error(`${path}: ${text}\n`);
          },
        });
      } finally {
        unwatch();
      }
    });
}
