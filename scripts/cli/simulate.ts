import type { Command } from "@commander-js/extra-typings";
import { parsePublicKey } from "../../cloud/registry.ts";
import { toHex } from "../../protocol/bytes.ts";
import {
  boardFiles,
  isStartFailure,
  type LaunchOptions,
  launchDevice,
} from "../../simulator/launch.ts";
import { brokerSettings } from "./broker-settings.ts";
import { DEVICE_DIRECTORY } from "./defaults.ts";
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
    .requiredOption(
      "--cloud-key <hex>",
      "the cloud's public key, as `coseflow ca show --public-key` prints it",
    )
    .option("--board <name>", "file in boards/", parseBoard, "linux")
    .option("--directory <directory>", "where its flash and keys are kept", DEVICE_DIRECTORY)
    .addHelpText(
      "after",
      `
Ctrl-C is the power switch: the device's key stays in its directory.

Example:
  $ coseflow simulate --broker mqtt://localhost --cloud-key 04a1...`,
    )
    .action(async (options) => {
      const cloudPublicKey = toHex(parsePublicKey(options.cloudKey));
      const { stopped, unwatch } = watchForStop();
      try {
        await simulate(
          {
            files: boardFiles(options.board),
            directory: options.directory,
            settings: { brokers: options.broker.map(brokerSettings), cloudPublicKey },
          },
          output,
          stopped,
        );
      } finally {
        unwatch();
      }
    });
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
      output.error(`crypto: node:crypto stands in for the C module (${reason})\n`);
    await Promise.race([stopped, failed]);
  } finally {
    device.powerOff();
  }
}
