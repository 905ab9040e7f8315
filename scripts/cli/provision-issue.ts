/** From options to a stored command: policy, key, device, and then sent. */
import { createNodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { issueCommand } from "../../cloud/operator/issue.ts";
import { formOf } from "../../cloud/operator/policy.ts";
import { openProvisioner } from "../../cloud/operator/provisioner.ts";
import type { CommandAction } from "../../cloud/store/commands.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import type { Update } from "../../protocol/update-parameters.ts";
import { findOne } from "./find-device.ts";
import type { Output } from "./output.ts";
import { readPassphrase } from "./passphrase.ts";
import type { IssueOptions } from "./provision-options.ts";
import { sendAndWait } from "./provision-wait.ts";

export interface Wanted {
  action: CommandAction;
  isPlainAllowed?: boolean;
  claim?: Bytes | undefined;
  update?: Update;
}

const unixNow = () => Math.floor(Date.now() / 1000);

/** The key is opened first: without it nothing is asked of broker or database. */
export async function provision(
  wanted: Wanted,
  options: IssueOptions,
  output: Output,
): Promise<void> {
  const { action, isPlainAllowed = false, claim, update } = wanted;
  const { policy } = options;
  const form = formOf(policy, action, isPlainAllowed);
  const crypto = createNodeCrypto();
  const provisioner =
    form === "plain"
      ? undefined
      : await openProvisioner(
          crypto,
          options.keys,
          { action, form, policy: policy.name },
          unixNow(),
          () => readPassphrase(options.passphraseFile),
        );

  await sendAndWait(options, output, async (store) => {
    const { device } = await findOne(store, options.device);
    await store.expireCommands(unixNow());
    const context = { crypto, store, provisioner, now: unixNow };
    const order = {
      ...{ device, userId: options.user, action, form, lifeSeconds: options.expires },
      ...{ claim, update },
    };
    return { device, command: await issueCommand(context, order) };
  });
}
