import type { Command } from "@commander-js/extra-typings";
import { readDeviceTrust } from "../../cloud/keys/device-trust.ts";
import {
  boardFiles,
  isStartFailure,
  type LaunchOptions,
  launchDevice,
} from "../../simulator/launch.ts";
import { brokerSettings } from "./broker-settings.ts";
import { DEVICE_DIRECTORY, KEYS_DIRECTORY } from "./defaults.ts";
import { EXIT_CODES_RUNNING } from "./exit.ts";
import type { Output } from "./output.ts";
import { parseBoard, parseDeviceBrokers } from "./parse.ts";
import { watchForStop } from "./stop.ts";

export function addSimulateCommand(program: Command, output: Output): void {
  program
    .command("simulate")
    .description("run the bundle of a board without the board; prints its console")
    .requiredOption(
      "--broker <url...>",
      "mqtt://host:port or mqtts://host:port; up to four, tried in this order",
      parseDeviceBrokers,
    )
    .option(
      "--keys <directory>",
      "keys of the cloud that it trusts; only the certificates are read",
      KEYS_DIRECTORY,
    )
    .option("--board <board>", "file in boards/", parseBoard, "linux")
    .option("--directory <directory>", "where its flash and keys are kept", DEVICE_DIRECTORY)
    .option("--device-id <id>", "enrol under this device id, with --user")
    .option("--user <id>", "the user it enrols for")
    .option("--json", "one line of JSON for each line of the console: its time and text")
    .option("--claim <hex>", "its one-time claim, as `coseflow claim new` prints it")
    .addHelpText(
      "after",
      `
Ctrl-C is the power switch: the device's key stays in its directory. Without --device-id it waits to
be registered by hand.

${EXIT_CODES_RUNNING}

Examples:
  $ coseflow simulate --broker mqtt://localhost
  $ coseflow simulate --broker mqtt://localhost --device-id shed --user ann --claim 00112233...`,
    )
    .action(async (options) => {
      const trust = readDeviceTrust(options.keys);
      const { deviceId, user: userId, claim } = options;
      const names = deviceId === undefined ? {} : { deviceId, userId, claim };
      const { stopped, unwatch } = watchForStop();
      try {
        await simulate(
          {
            files: boardFiles(options.board),
            directory: options.directory,
            settings: { brokers: options.broker.map(brokerSettings), ...trust, ...names },
          },
          options.json ? consoleAsJson(output) : output,
          stopped,
        );
      } finally {
        unwatch();
      }
    });
}

/** The console's lines as those of `coseflow monitor --json`. */
function consoleAsJson(output: Output): Output {
  const asJson = (line: string) =>
    JSON.stringify({ time: new Date().toISOString(), text: line.replace(/\n$/, "") });
  return { ...output, out: (line) => output.out(`${asJson(line)}\n`) };
}

/** Runs the device until it is stopped; rejects when its firmware says that it cannot start. */
async function simulate(
  options: Omit<LaunchOptions, "console">,
  output: Output,
  stopped: Promise<void>,
): Promise<void> {
  let fail = (_error: Error) => {};
  const failed = new Promise<void>((_resolve, reject) => {
    fail = reject;
  });
  const device = launchDevice({
    ...options,
    console(line) {
      output.out(`${line}\n`);
      if (isStartFailure(line)) fail(new Error(line));
    },
  });
  try {
    const { kind, reason } = device.devcrypto;
    if (kind === "stand-in")
      output.note(`crypto: node:crypto stands in for the C module (${reason})\n`);
    await Promise.race([stopped, failed]);
  } finally {
    device.powerOff();
  }
}
