/** What every command that sends to a device takes. */
import { type Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import {
  DEFAULT_PRESET,
  PRESET_NAMES,
  type ProvisioningPolicy,
  presetPolicy,
  readPolicy,
} from "../../cloud/operator/policy.ts";
import { TOPIC_PREFIX } from "../../protocol/topics.ts";
import { readText } from "../board/read-file.ts";
import { parseDuration } from "./claim.ts";
import { KEYS_DIRECTORY } from "./defaults.ts";
import { parseBroker } from "./parse.ts";
import { PASSPHRASE_VARIABLE } from "./passphrase.ts";
import { PASSWORD_VARIABLE } from "./password.ts";
import { DATABASE_OPTION } from "./with-store.ts";

/** A board's answer to a QoS 2 message takes a few seconds; one that has to connect first, longer. */
const TIMEOUT_SECONDS = 120;
/** Long enough for a device that is offline for a while, short enough to be forgotten. */
const LIFE_SECONDS = 3600;

/** A preset, or a file with `provisioning`: a board file, or one of your own. */
function parsePolicy(given: string): ProvisioningPolicy {
  const preset = presetPolicy(given);
  if (preset) return preset;
  try {
    const { provisioning = {} } = JSON.parse(readText(given)) as {
      provisioning?: unknown;
    };
    return readPolicy(given, provisioning);
  } catch (error) {
    const { message } = error as Error;
    throw new InvalidArgumentError(`expected ${PRESET_NAMES.join(", ")} or a file: ${message}`);
  }
}

function parseMaxQos(text: string): 1 | 2 {
  if (text !== "1" && text !== "2") throw new InvalidArgumentError("expected 1 or 2.");
  return Number(text) as 1 | 2;
}

/** How to reach the broker, and how long to wait. */
export function withConnection(command: Command) {
  return command
    .requiredOption("--device <id>", "device id, key id or name")
    .requiredOption("--broker <url>", "mqtt://host:port (also mqtts, ws, wss)", parseBroker)
    .option("--username <name>", "user name at the broker")
    .option("--password-file <file>", `file with the password (or ${PASSWORD_VARIABLE})`)
    .option("--max-qos <qos>", "1 for a broker without QoS 2", parseMaxQos)
    .option("--prefix <prefix>", "topic prefix", TOPIC_PREFIX)
    .addOption(
      new Option("--timeout <time>", "how long to wait for the reply")
        .argParser(parseDuration)
        .default(TIMEOUT_SECONDS, "2m"),
    )
    .option("--json", "the result as one line of JSON")
    .option(...DATABASE_OPTION);
}

/** What a new command needs beside. */
export function withIssue(command: Command) {
  return withConnection(command)
    .requiredOption("--user <id>", "the user that the device belongs to, or is to belong to")
    .addOption(
      new Option("--expires <time>", "from when on it is not obeyed")
        .argParser(parseDuration)
        .default(LIFE_SECONDS, "1h"),
    )
    .addOption(
      new Option(
        "--policy <policy>",
        `${PRESET_NAMES.join(", ")}, or a file with "provisioning", such as the board file`,
      )
        .argParser(parsePolicy)
        .default(readPolicy(DEFAULT_PRESET, DEFAULT_PRESET), DEFAULT_PRESET),
    )
    .option("--keys <directory>", "directory of the provisioner's key", KEYS_DIRECTORY)
    .option(
      "--passphrase-file <file>",
      `file with the passphrase of the provisioner's key (or ${PASSPHRASE_VARIABLE})`,
    );
}

export type ConnectionOptions = ReturnType<ReturnType<typeof withConnection>["opts"]>;
export type IssueOptions = ReturnType<ReturnType<typeof withIssue>["opts"]>;
