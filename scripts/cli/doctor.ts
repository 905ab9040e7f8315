import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "@commander-js/extra-typings";
import { TOPIC_PREFIX } from "../../protocol/topics.ts";
import { repositoryRoot } from "../../simulator/repository.ts";
import { brokerCheck } from "../doctor/broker.ts";
import { certificatesCheck } from "../doctor/certificates.ts";
import type { Check } from "../doctor/check.ts";
import { clockCheck } from "../doctor/clock.ts";
import { compilerCheck } from "../doctor/compiler.ts";
import { databaseCheck } from "../doctor/database.ts";
import { devcryptoCheck } from "../doctor/devcrypto.ts";
import { diskCheck } from "../doctor/disk.ts";
import { examine, findingJson, findingText } from "../doctor/examine.ts";
import { listenersCheck } from "../doctor/listeners.ts";
import { thisMachine } from "../doctor/machine.ts";
import { nodeCheck } from "../doctor/node.ts";
import { serialPortsCheck } from "../doctor/serial-ports.ts";
import { udevCheck } from "../doctor/udev.ts";
import { usbChipsCheck } from "../doctor/usb-chips.ts";
import { DATABASE, KEYS_DIRECTORY } from "./defaults.ts";
import { JudgedAsFailed } from "./exit.ts";
import { type Output, wantsColour } from "./output.ts";
import { parseBroker } from "./parse.ts";
import { PASSWORD_VARIABLE, readPassword } from "./password.ts";

interface Options {
  broker?: string | undefined;
  username?: string | undefined;
  passwordFile?: string | undefined;
  keys: string;
  db: string;
  prefix: string;
}

/** Every check: a further one is a line here. */
function checksOf(options: Options): Check[] {
  const machine = thisMachine();
  const root = repositoryRoot();
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { broker, username, passwordFile } = options;
  return [
    nodeCheck({ version: process.version, engines: engines.node }),
    compilerCheck(machine),
    devcryptoCheck(join(root, "build", "native", "devcrypto.node")),
    udevCheck(machine),
    usbChipsCheck(machine),
    serialPortsCheck(machine),
    clockCheck(machine, fileURLToPath(import.meta.url)),
    certificatesCheck(options.keys, machine.now),
    databaseCheck(machine, options.db),
    diskCheck(options.db),
    listenersCheck(machine),
    ...(broker === undefined
      ? []
      : [
          brokerCheck(
            { url: broker, username, password: readPassword(passwordFile) },
            options.prefix,
          ),
        ]),
  ];
}

export function addDoctorCommand(program: Command, output: Output): void {
  program
    .command("doctor")
    .description("look for what usually goes wrong, and say what to do about it")
    .option("--broker <url>", "examine this broker too: mqtt://host:port or mqtts", parseBroker)
    .option("--username <name>", "user name at the broker")
    .option("--password-file <file>", `file with the password (or ${PASSWORD_VARIABLE})`)
    .option("--keys <directory>", "directory of the cloud's keys", KEYS_DIRECTORY)
    .option("--db <file>", "the cloud's database", DATABASE)
    .option("--prefix <prefix>", "topic prefix", TOPIC_PREFIX)
    .option("--json", "one line of JSON for each finding")
    .option("--quiet", "only what does not hold")
    .addHelpText(
      "after",
      `
Nothing is left changed. A warning leaves the exit code 0: something works less well, or not here.

Exit codes: 0 nothing fails, 1 something does, 2 the command line is wrong.

Examples:
  $ coseflow doctor
  $ coseflow doctor --broker mqtts://broker.example --username desk --password-file pw`,
    )
    .action(async (options) => {
      const colour = wantsColour(process.stdout);
      const { sound } = await examine(checksOf(options), (finding) => {
        if (options.quiet && finding.result === "ok") return;
        output.out(options.json ? `${findingJson(finding)}\n` : findingText(finding, colour));
      });
      if (!sound) throw new JudgedAsFailed();
    });
}
