import type { Command } from "@commander-js/extra-typings";
import type { Command as StoredCommand } from "../../cloud/store/commands.ts";
import type { KnownDevice, Store } from "../../cloud/store/store.ts";
import { toHex } from "../../protocol/bytes.ts";
import { EXIT_CODES } from "./exit.ts";
import { findOne } from "./find-device.ts";
import { type Output, when } from "./output.ts";
import { parseCommandCounter } from "./parse.ts";
import { withConnection } from "./provision-options.ts";
import { COMMAND_HEAD, toJson, toRow } from "./provision-view.ts";
import { sendAndWait } from "./provision-wait.ts";
import { table } from "./table.ts";
import { DATABASE_OPTION, withStore } from "./with-store.ts";

type Issued = { device: KnownDevice; command: StoredCommand };

const unixNow = () => Math.floor(Date.now() / 1000);

async function commandsOf(store: Store, name: string | undefined): Promise<Issued[]> {
  await store.expireCommands(unixNow());
  const devices = name === undefined ? await store.listDevices() : [await findOne(store, name)];
  const lists = devices.map(async ({ device }) => {
    const commands = await store.listCommands(device.kid);
    return commands.map((command) => ({ device, command }));
  });
  return (await Promise.all(lists)).flat();
}

export function addStatus(parent: Command, output: Output): void {
  parent
    .command("status")
    .description("show the commands that were issued, and what became of them")
    .option("--device <id>", "device id, key id or name (default: all)")
    .option("--json", "one line of JSON for each command")
    .option(...DATABASE_OPTION)
    .addHelpText(
      "after",
      `
${EXIT_CODES}

Examples:
  $ coseflow provision status
  $ coseflow provision status --device boiler --json`,
    )
    .action(async ({ device: name, json, db }) => {
      const issued = await withStore(db, (store) => commandsOf(store, name));
      if (json)
        for (const { device, command } of issued)
          output.out(`${JSON.stringify(toJson(device, command))}\n`);
      else
        output.out(
          table(
            COMMAND_HEAD,
            issued.map(({ device, command }) => toRow(device, command)),
          ),
        );
    });
}

async function chooseIssued(
  store: Store,
  name: string,
  counter: number | undefined,
): Promise<Issued> {
  const { device } = await findOne(store, name);
  const all = await store.listCommands(device.kid);
  const command = all.findLast((one) => counter === undefined || one.counter === counter);
  if (command === undefined)
    throw new Error(
      `command, expected one to device ${toHex(device.kid)}, got none${counter === undefined ? "" : ` of counter ${counter}`}`,
    );
  if (command.reply === undefined && command.expiresAt < unixNow())
    throw new Error(
      `${command.action} ${command.counter}, expected one that is still obeyed, got one that ended ` +
        `${when(command.expiresAt)}: issue a new one`,
    );
  return { device, command };
}

export function addResend(parent: Command, output: Output): void {
  withConnection(parent.command("resend") as Command)
    .description("send the very bytes of an issued command again, and wait for its reply")
    .option("--counter <number>", "which one (default: the last)", parseCommandCounter)
    .addHelpText(
      "after",
      `
For a broker that has lost it, or a wait that was ended. No key is needed. A device that has
obeyed the command sends the same reply again.

${EXIT_CODES}

Example:
  $ coseflow provision resend --device boiler --broker mqtt://localhost`,
    )
    .action((options) =>
      sendAndWait(options, output, (store) => chooseIssued(store, options.device, options.counter)),
    );
}
