import { text } from "node:stream/consumers";
import { type Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { MAX_PASSPHRASE, MAX_SSID, MIN_PASSPHRASE } from "../../protocol/update-parameters.ts";
import { thisMachine } from "../doctor/machine.ts";
import { FlashFailure } from "../flash/failure.ts";
import { ImprovFailure, openImprov, refuseRunning } from "../serial/improv.ts";
import { choosePort, machinePort } from "../serial/open-port.ts";
import { explain, JudgedAsFailed } from "./exit.ts";
import { EXIT } from "./exit-code.ts";
import { type Output, printable } from "./output.ts";
import { askHidden, processTerminal } from "./passphrase.ts";
import { endOnSignal } from "./stop.ts";

interface Options {
  port?: string | undefined;
  ssid?: string | undefined;
  passwordStdin?: boolean | undefined;
  scan?: boolean | undefined;
  json?: boolean | undefined;
}

function parseSsid(name: string): string {
  const length = Buffer.byteLength(name);
  if (length < 1 || length > MAX_SSID)
    throw new InvalidArgumentError(`expected 1 to ${MAX_SSID} bytes, got ${length}.`);
  return name;
}

/** From standard input or, where it is a terminal, asked for: on the command line every user would see it. */
async function readPassword({ passwordStdin }: Options): Promise<string> {
  const terminal = processTerminal();
  if (!passwordStdin && !terminal.input.isTTY)
    throw new ImprovFailure(
      "password, expected one, got no terminal to ask at",
      "give it by --password-stdin",
    );
  const password = passwordStdin
    ? (await text(process.stdin)).replace(/\r?\n$/, "")
    : await askHidden("Password (none for an open network): ", terminal, "password");
  const length = Buffer.byteLength(password);
  if (length !== 0 && (length < MIN_PASSPHRASE || length > MAX_PASSPHRASE))
    throw new ImprovFailure(
      `password, expected ${MIN_PASSPHRASE} to ${MAX_PASSPHRASE} bytes or none, got ${length}`,
      "run it again",
    );
  return password;
}

async function run(options: Options, output: Output): Promise<void> {
  const { ssid } = options;
  const password = ssid === undefined ? "" : await readPassword(options);
  const machine = thisMachine();
  const port = machinePort(choosePort(options.port, machine), machine);
  const tell = (kind: string, told: object, line: string) =>
    output.out(options.json ? `${JSON.stringify({ kind, ...told })}\n` : `${line}\n`);
  await refuseRunning(port);
  const board = await openImprov(port);
  try {
    const [firmware, version, chip, name] = (await board.info()).map(printable);
    output.note(`${name} (${chip}), ${firmware} ${version}\n`);
    if (options.scan)
      for (const found of await board.scan()) {
        const { rssi, secured } = found;
        const shown = printable(found.ssid);
        tell("network", found, `${rssi} dBm  ${secured ? "secured" : "open   "}  ${shown}`);
      }
    if (ssid === undefined) return;
    output.note(`joining ${printable(ssid)}\n`);
    await board.provision(ssid, password);
    tell("done", { ssid, board: name }, `joined ${printable(ssid)}: the board restarts with it`);
  } finally {
    await board.close();
  }
}

export function addWifiCommand(program: Command, output: Output): void {
  program
    .command("wifi")
    .description("give a board its Wi-Fi network over the cable, or show what it hears (Improv)")
    .option("--port <path>", "serial port (default: the only one there is)")
    .option("--ssid <name>", "network that the board is to join", parseSsid)
    .option("--password-stdin", "its password is standard input; otherwise it is asked for")
    .option("--scan", "list the networks that the board hears")
    .option("--json", 'lines of JSON: "network" for each it hears, last "done" or "failed"')
    .addHelpText(
      "after",
      `
A board takes a network in setup, where its settings have none, and in safe mode: press RESET, and
within five seconds hold its button for two. It joins first, and keeps what it had where that fails.
The network takes the place of those in the settings file. No password is shown.

Exit codes: 0 the board has joined it, or what it hears is listed; 1 not done, and the last line says
why and what to do next; 2 the command line is wrong.

Examples:
  $ coseflow wifi --scan
  $ coseflow wifi --ssid greenhouse
  $ coseflow wifi --port /dev/ttyACM0 --ssid greenhouse --password-stdin < password`,
    )
    .action(async (options) => {
      if (options.ssid === undefined && !options.scan)
        program.error("error: wifi, expected --ssid or --scan, got neither", { exitCode: 2 });
      const failed = (reason: string, next: string) =>
        options.json
          ? output.out(`${JSON.stringify({ kind: "failed", reason, next })}\n`)
          : output.error(`coseflow: not done: ${reason}\n  next: ${next}\n`);
      const unwatch = endOnSignal((signal) => {
        failed(`stopped by ${signal}`, "run it again; coseflow monitor shows what the board does");
        return EXIT.failure;
      });
      try {
        await run(options, output);
      } catch (error) {
        const isKnown = error instanceof ImprovFailure || error instanceof FlashFailure;
        if (isKnown) failed(error.reason, error.next);
        else failed(explain(error), "run it again, or see coseflow doctor");
        throw new JudgedAsFailed();
      } finally {
        unwatch();
      }
    });
}
