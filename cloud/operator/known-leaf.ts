import type { Bytes } from "../../protocol/bytes.ts";
import type { Store } from "../store/store.ts";
import { obeyedCounter } from "./outcome.ts";

/**
 * True when the device has shown that it took this provisioner's certificate in: a signed
 * command that carried it was answered, by more than `stale`, which comes before. From then
 * on it is kept there and need not travel any more.
 */
export async function hasLeaf(store: Store, device: Bytes, leaf: Bytes): Promise<boolean> {
  const commands = await store.listCommands(device);
  return commands.some(
    (command) =>
      command.reply !== undefined &&
      command.form !== "plain" &&
      obeyedCounter(command) === undefined &&
      command.message.includes(leaf),
  );
}
