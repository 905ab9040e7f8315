/** Sends a stored command, waits for its reply and says how it ended. */
import { type Delivered, deliver } from "../../cloud/operator/deliver.ts";
import { outcomeOf } from "../../cloud/operator/outcome.ts";
import { openSender, type Sender } from "../../cloud/operator/sender.ts";
import { addressOf } from "../../cloud/receiver/broker.ts";
import type { Command } from "../../cloud/store/commands.ts";
import type { KnownDevice, Store } from "../../cloud/store/store.ts";
import { JudgedAsFailed } from "./exit.ts";
import type { Output } from "./output.ts";
import { readPassword } from "./password.ts";
import type { ConnectionOptions } from "./provision-options.ts";
import { showProgress } from "./provision-progress.ts";
import { resultOf, toJson, withoutReply } from "./provision-view.ts";
import { watchForStop } from "./stop.ts";
import { withStore } from "./with-store.ts";

interface Waiting {
  store: Store;
  sender: Sender;
  device: KnownDevice;
  command: Command;
  stopped: Promise<void>;
}

async function send(
  { store, sender, device, command, stopped }: Waiting,
  { prefix, broker, timeout }: ConnectionOptions,
  output: Output,
): Promise<Delivered> {
  const { action, counter } = command;
  const progress = showProgress(output, timeout, process.stderr.isTTY === true);
  progress.say(`${action} ${counter} stored, ${command.form}`);
  try {
    return await deliver({
      ...{ store, sender, prefix, command, stopped },
      timeoutMs: timeout * 1000,
      onSent: (isHeard) =>
        progress.say(
          isHeard
            ? `sent to ${addressOf(broker)}`
            : "the device has not subscribed at this broker; sent again until it has",
        ),
    });
  } catch (error) {
    progress.say(withoutReply(device, command, true).trimEnd());
    throw error;
  } finally {
    progress.end();
  }
}

/** The result to standard output; throws when it is none that was hoped for. */
function conclude(
  { end, command }: Delivered,
  device: KnownDevice,
  isJson: boolean,
  output: Output,
): void {
  const line = `${command.action} ${command.counter}: ${resultOf(command)}`;
  output.out(isJson ? `${JSON.stringify(toJson(device, command))}\n` : `${line}\n`);
  if (end !== "replied") output.error(withoutReply(device, command, end === "stopped"));
  if (outcomeOf(command)?.isDone !== true) throw new JudgedAsFailed();
}

/**
 * With store and broker open, `choose` gives the command to send: before it nothing is
 * issued, so that a wrong address costs nothing.
 */
export async function sendAndWait(
  options: ConnectionOptions,
  output: Output,
  choose: (store: Store) => Promise<{ device: KnownDevice; command: Command }>,
): Promise<void> {
  const { stopped, unwatch } = watchForStop();
  try {
    await withStore(options.db, async (store) => {
      const sender = await openSender({
        url: options.broker,
        username: options.username,
        password: readPassword(options.passwordFile),
        maxQos: options.maxQos,
        onLost: (message) => output.note(`${message}; trying again\n`),
      });
      try {
        const chosen = await choose(store);
        const delivered = await send({ store, sender, stopped, ...chosen }, options, output);
        conclude(delivered, chosen.device, options.json === true, output);
      } finally {
        await sender.close();
      }
    });
  } finally {
    unwatch();
  }
}
