import type { Command } from "@commander-js/extra-typings";
import { thisMachine } from "../doctor/machine.ts";
import { findPorts } from "../serial/ports.ts";
import type { Output } from "./output.ts";

export function addPortsCommand(program: Command, output: Output): void {
  program
    .command("ports")
    .description("list the serial ports: which chip is behind each, and who holds it")
    .option("--json", "one line of JSON for each port")
    .addHelpText(
      "after",
      `
The chip is the USB serial chip, or the board's own where that has USB. No port is opened.

Exit codes: 0 also where there is no port, 2 the command line is wrong.

Examples:
  $ coseflow ports
  $ coseflow ports --json`,
    )
    .action(({ json }) => {
      const ports = findPorts(thisMachine());
      if (json) {
        for (const port of ports) output.out(`${JSON.stringify(port)}\n`);
        return;
      }
      if (ports.length === 0)
        output.note("no port: plug a board in, by a cable that has data lines (coseflow doctor)\n");
      for (const { path, usb, chip, problems } of ports) {
        output.out(`${path}  ${chip ?? "unknown chip"}${usb === undefined ? "" : ` (${usb})`}\n`);
        for (const { text, cause, fix } of problems)
          output.out(`  ${text}: ${cause}\n  fix: ${fix}\n`);
      }
    });
}
