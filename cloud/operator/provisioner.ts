import { join } from "node:path";
import type { NodeCrypto } from "../crypto/node-crypto.ts";
import { type Credential, openCredential, validCertificates } from "../keys/credentials.ts";
import { credentialFiles } from "../keys/key-directory.ts";
import { isEncrypted } from "../keys/key-pem.ts";
import { readPrivateFile } from "../keys/private-file.ts";
import type { CommandAction, CommandForm } from "../store/commands.ts";

/** What the key is wanted for: the error tells it. */
export interface Purpose {
  action: CommandAction;
  form: CommandForm;
  /** Name of the policy that says so. */
  policy: string;
}

/**
 * The newest provisioner that is valid, its passphrase asked for where there is one. Without
 * it the command fails: what is missing never makes it less protected.
 */
export async function openProvisioner(
  crypto: NodeCrypto,
  directory: string,
  purpose: Purpose,
  now: number,
  askPassphrase: () => Promise<string>,
): Promise<Credential> {
  try {
    const [newest] = validCertificates(directory, "provisioner", now);
    const pem = readPrivateFile(join(directory, credentialFiles("provisioner", newest.number).key));
    const needsPassphrase = isEncrypted(pem);
    pem.fill(0);
    const passphrase = needsPassphrase ? await askPassphrase() : undefined;
    return openCredential(crypto, directory, "provisioner", newest, passphrase);
  } catch (error) {
    const { action, form, policy } = purpose;
    const { message } = error as Error;
    throw new Error(
      `${message} (needed since policy ${policy} wants "${action}" ${form}; ` +
        "it is never sent in a weaker form unless that policy is changed)",
      { cause: error },
    );
  }
}
