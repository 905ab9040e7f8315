import type { Command } from "@commander-js/extra-typings";
import { initKeys, readCloudPublicKey } from "../../cloud/keys/cloud-keys.ts";
import { toHex } from "../../protocol/bytes.ts";
import { KEYS_DIRECTORY } from "./defaults.ts";
import type { Output } from "./output.ts";

const DIRECTORY = ["--dir <directory>", "directory of the keys", KEYS_DIRECTORY] as const;

function publicKeyOf(directory: string): string {
  return toHex(readCloudPublicKey(directory));
}

export function addKeysCommand(program: Command, output: Output): void {
  const keys = program.command("keys").description("the cloud's keys and development certificates");

  keys
    .command("init")
    .description(
      "make a development root, the cloud's key and certificate, and the key that seals the database",
    )
    .option(...DIRECTORY)
    .addHelpText(
      "after",
      `
Keys that are there are never replaced. The root's key (root.key.pem) is not needed to
serve: keep it offline.

Example:
  $ coseflow keys init --dir /var/lib/coseflow/keys`,
    )
    .action(async ({ dir }) => {
      await initKeys(dir);
      output.error(`keys made in ${dir}; the cloud's public key, for the settings of devices:\n`);
      output.out(`${publicKeyOf(dir)}\n`);
    });

  keys
    .command("show")
    .description(
      "print the cloud's public key: 130 hexadecimal digits, for the settings of devices",
    )
    .option(...DIRECTORY)
    .action(({ dir }) => output.out(`${publicKeyOf(dir)}\n`));
}
