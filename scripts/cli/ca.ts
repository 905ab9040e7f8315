import { type Command, Option } from "@commander-js/extra-typings";
import { makeCredential, needsPassphrase, openRoot } from "../../cloud/ca/authority.ts";
import { toPem } from "../../cloud/ca/certificate.ts";
import { type Issued, issuedNotBefore, stateOf } from "../../cloud/ca/issued.ts";
import { ROOT_SIGNED } from "../../cloud/ca/profile.ts";
import { createNodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { initKeys, openIndex, readCloudPublicKey } from "../../cloud/keys/cloud-keys.ts";
import { readRoot, validCertificates } from "../../cloud/keys/credentials.ts";
import { toHex } from "../../protocol/bytes.ts";
import { KEYS_DIRECTORY } from "./defaults.ts";
import { EXIT_CODES } from "./exit.ts";
import { type Output, printable } from "./output.ts";
import { choosePassphrase, PASSPHRASE_VARIABLE, readPassphrase } from "./passphrase.ts";
import { table } from "./table.ts";

const DIRECTORY = ["--dir <directory>", "directory of the keys", KEYS_DIRECTORY] as const;
const PASSPHRASE_FILE = [
  "--passphrase-file <file>",
  `file with the passphrase of the root's key (or ${PASSPHRASE_VARIABLE})`,
] as const;
/** The roles that devices judge, each with an "issued not before" of its own. */
const JUDGED_BY_DEVICES = ["cloud", "registrar", "provisioner"];

const unixNow = () => Math.floor(Date.now() / 1000);
const dateOf = (seconds: number) => new Date(seconds * 1000).toISOString();

const roleOption = (what: string) => new Option("--role <role>", what).choices(ROOT_SIGNED);

function addInit(ca: Command, output: Output): void {
  ca.command("init")
    .description(
      "make a root, an issuing CA, a key for each role, and the key that seals the database",
    )
    .option(...DIRECTORY)
    .option("--passphrase", "ask for a passphrase for the keys of the root and the provisioner")
    .option("--json", "directory and public key as one line of JSON")
    .option(...PASSPHRASE_FILE)
    .addHelpText(
      "after",
      `
Keys that are there are never replaced. The root's key (root.key.pem) is needed for
"ca issue" alone, and provisioner-1.key.pem for commands alone: keep them elsewhere.

${EXIT_CODES}

Examples:
  $ coseflow ca init --dir /var/lib/coseflow/keys
  $ coseflow ca init --passphrase`,
    )
    .action(async ({ dir, passphrase, passphraseFile, json }) => {
      await initKeys(dir, await choosePassphrase(passphraseFile, passphrase === true));
      const cloudPublicKey = toHex(readCloudPublicKey(dir));
      if (json) return output.out(`${JSON.stringify({ directory: dir, cloudPublicKey })}\n`);
      output.note(`keys made in ${dir}; the cloud's public key, for the settings of devices:\n`);
      output.out(`${cloudPublicKey}\n`);
    });
}

function addIssue(ca: Command, output: Output): void {
  ca.command("issue")
    .description("make a new key and certificate of a role beside those there are")
    .addOption(roleOption("whose").makeOptionMandatory())
    .option(...DIRECTORY)
    .option("--root-key <file>", "the root's key, where it is not in the directory")
    .option("--json", "role, serial number and end as one line of JSON")
    .option(...PASSPHRASE_FILE)
    .addHelpText(
      "after",
      `
The newest key of a role is the one that is used. The cloud goes on opening what is sealed
to its older keys until their certificates expire or are revoked. "serve" notices the new
key, and gives devices its certificate, within ten seconds.

${EXIT_CODES}

Example:
  $ coseflow ca issue --role cloud --root-key /media/stick/root.key.pem`,
    )
    .action(async ({ dir, role, rootKey, passphraseFile, json }) => {
      const passphrase = needsPassphrase(dir, rootKey)
        ? await readPassphrase(passphraseFile)
        : undefined;
      const crypto = createNodeCrypto();
      const root = openRoot(crypto, dir, { path: rootKey, passphrase });
      const made = await makeCredential(crypto, dir, root, role, passphrase, unixNow());
      const { serial, notAfter } = made;
      if (json) return output.out(`${JSON.stringify({ role, serial, notAfter })}\n`);
      output.note(`${role} key and certificate made, valid until ${dateOf(notAfter)}; serial:\n`);
      output.out(`${serial}\n`);
    });
}

function toTable(issued: Issued[], now: number): string {
  const rows = issued.map((entry) => [
    entry.serial,
    entry.role,
    stateOf(entry, now),
    dateOf(entry.notBefore),
    dateOf(entry.notAfter),
    printable(entry.subject),
  ]);
  return table(["SERIAL", "ROLE", "STATE", "FROM", "UNTIL", "SUBJECT"], rows);
}

function toJson(entry: Issued, now: number): string {
  const { revokedAt = null } = entry;
  return JSON.stringify({ ...entry, revokedAt, state: stateOf(entry, now) });
}

function addList(ca: Command, output: Output): void {
  ca.command("list")
    .description("show every certificate that was issued here")
    .option("--json", "one line of JSON for each certificate")
    .option(...DIRECTORY)
    .addHelpText(
      "after",
      `
${EXIT_CODES}

Examples:
  $ coseflow ca list
  $ coseflow ca list --json --dir /var/lib/coseflow/keys`,
    )
    .action(({ dir, json }) => {
      const now = unixNow();
      const { issued, damaged } = openIndex(dir).list();
      if (json) for (const entry of issued) output.out(`${toJson(entry, now)}\n`);
      else output.out(toTable(issued, now));
      if (damaged > 0) output.error(`lines of the index that do not read: ${damaged}\n`);
    });
}

/** As people copy it: OpenSSL prints colons, browsers capitals. */
const toSerial = (text: string) => text.replaceAll(":", "").toLowerCase();

function addRevoke(ca: Command, output: Output): void {
  ca.command("revoke")
    .description("mark a certificate as revoked, for ever")
    .argument("<serial>", "its serial number, as `coseflow ca list` shows it")
    .option("--json", "role, serial number and the number for devices as one line of JSON")
    .option(...DIRECTORY)
    .addHelpText(
      "after",
      `
"serve" leaves out revoked keys within ten seconds. Devices learn of it by a number: certificates
of the role that were issued before it are refused. It is printed, to be sent to them.

${EXIT_CODES}

Example:
  $ coseflow ca revoke 4f1c...`,
    )
    .action((given, { dir, json }) => {
      const now = unixNow();
      const index = openIndex(dir);
      const serial = toSerial(given);
      const { role } = index.revoke(serial, now);
      const tell = (bound: number | null) => {
        if (json) output.out(`${JSON.stringify({ role, serial, issuedNotBefore: bound })}\n`);
        else if (bound !== null) output.out(`${bound}\n`);
      };
      output.note(`certificate of ${role} revoked\n`);
      if (!JUDGED_BY_DEVICES.includes(role)) return tell(null);
      const { issued } = index.list();
      const bound = issuedNotBefore(issued, role) as number;
      const isReplaced = issued.some(
        (entry) =>
          entry.role === role && entry.notBefore >= bound && stateOf(entry, now) === "valid",
      );
      if (!isReplaced)
        output.error(
          `none of ${role} was issued since: run "coseflow ca issue --role ${role}" first\n`,
        );
      output.note(`issued not before, for devices and the role ${role}:\n`);
      tell(bound);
    });
}

function addShow(ca: Command, output: Output): void {
  ca.command("show")
    .description("print public key and certificate of a role, or the root's certificate")
    .addOption(roleOption("whose, the newest one").default("cloud" as const))
    .option("--public-key", "the public key alone: 130 hexadecimal digits")
    .option("--hex", "the certificate alone, hexadecimal, for the settings of devices")
    .addOption(
      new Option(
        "--anchor",
        "the root's certificate, hexadecimal, for the settings of devices",
      ).conflicts(["role", "publicKey", "hex"]),
    )
    .option("--json", "all of it as one line of JSON")
    .option(...DIRECTORY)
    .addHelpText(
      "after",
      `
${EXIT_CODES}

Examples:
  $ coseflow ca show --role provisioner
  $ coseflow ca show --anchor
  $ coseflow ca show --hex`,
    )
    .action(({ dir, role, publicKey, hex, anchor, json }) => {
      const tell = (line: object) => output.out(`${JSON.stringify(line)}\n`);
      if (anchor) {
        const der = toHex(readRoot(dir).der);
        return json ? tell({ anchor: der }) : output.out(`${der}\n`);
      }
      const [{ certificate }] = validCertificates(dir, role, unixNow());
      const [key, der] = [toHex(certificate.publicKey), toHex(certificate.der)];
      if (json) return tell({ role, publicKey: key, certificate: der });
      if (hex) return output.out(`${der}\n`);
      output.out(`${key}\n`);
      if (!publicKey) output.out(toPem(certificate));
    });
}

export function addCaCommand(program: Command, output: Output): void {
  const ca = program
    .command("ca")
    .description("keys and certificates: the root, the issuing CA and the roles")
    .addHelpText("after", "\nExamples:\n  $ coseflow ca init --passphrase\n  $ coseflow ca list");
  addInit(ca, output);
  addIssue(ca, output);
  addList(ca, output);
  addRevoke(ca, output);
  addShow(ca, output);
}
