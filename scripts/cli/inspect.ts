import { existsSync } from "node:fs";
import { type Command, Option } from "@commander-js/extra-typings";
import type { Bytes } from "../../protocol/bytes.ts";
import { CLASSES, type MessageClass, TOPIC_PREFIX } from "../../protocol/topics.ts";
import { type Evidence, openEvidence } from "../inspect/evidence.ts";
import { decodeContent, decodeText, readInput } from "../inspect/input.ts";
import { inspectMessage, isSound } from "../inspect/inspect.ts";
import { watchTopic } from "../inspect/live.ts";
import { reportJson, reportText } from "../inspect/print.ts";
import { DATABASE, KEYS_DIRECTORY } from "./defaults.ts";
import { JudgedAsFailed } from "./exit.ts";
import { type Output, wantsColour } from "./output.ts";
import { parseBroker, parseClass, parseCount, parseKeyInPlace } from "./parse.ts";
import { PASSWORD_VARIABLE, readPassword } from "./password.ts";
import { watchForStop } from "./stop.ts";

interface Options {
  file?: string | undefined;
  broker?: string | undefined;
  username?: string | undefined;
  passwordFile?: string | undefined;
  topic?: string | undefined;
  count?: number | undefined;
  class?: MessageClass | undefined;
  deviceKey?: Bytes | undefined;
  keys?: string | undefined;
  db?: string | undefined;
  prefix: string;
  full?: true | undefined;
  json?: true | undefined;
}

/** What is not named is used where it is there: a message can be looked at without any key. */
function withDefault(given: string | undefined, usual: string): string | undefined {
  return given ?? (existsSync(usual) ? usual : undefined);
}

function createInspector(options: Options, evidence: Evidence, output: Output) {
  const { prefix, class: messageClass } = options;
  const full = options.full ?? false;
  const between = options.broker === undefined ? "" : "\n";
  return async function inspect(message: Bytes, topic: string | undefined): Promise<boolean> {
    const report = await inspectMessage(message, { topic, messageClass, prefix }, evidence);
    output.out(
      options.json
        ? `${reportJson(report, full)}\n`
        : `${reportText(report, { full, colour: wantsColour(process.stdout) })}${between}`,
    );
    return isSound(report);
  };
}

async function inspectLive(
  url: string,
  options: Options,
  inspect: ReturnType<typeof createInspector>,
): Promise<boolean> {
  const { stopped, unwatch } = watchForStop();
  let sound = true;
  try {
    await watchTopic(
      {
        url,
        filter: options.topic ?? `${options.prefix}/#`,
        username: options.username,
        password: readPassword(options.passwordFile),
        count: options.count,
        stopped,
      },
      async (topic, message) => {
        sound = (await inspect(message, topic)) && sound;
      },
    );
    return sound;
  } finally {
    unwatch();
  }
}

async function readMessage(message: string | undefined, file: string | undefined): Promise<Bytes> {
  if (message !== undefined) return decodeText(message);
  return decodeContent(await readInput(file ?? "-", process.stdin));
}

export function addInspectCommand(program: Command, output: Output): void {
  program
    .command("inspect")
    .description("show a captured message and say of each of its layers whether it holds")
    .argument("[message]", "hexadecimal or base64")
    .option("--file <file>", "the message: binary, hexadecimal or base64 (- is standard input)")
    .addOption(
      new Option("--broker <url>", "show messages as they come at this broker")
        .argParser(parseBroker)
        .conflicts(["file", "class"]),
    )
    .option("--username <name>", "user name at the broker")
    .option("--password-file <file>", `file with the password (or ${PASSWORD_VARIABLE})`)
    .option("--topic <topic>", "topic that the message came on; with --broker a topic filter")
    .option("--count <count>", "with --broker: end after so many messages", parseCount)
    .addOption(
      new Option("--class <class>", "class of the message, where no topic says it")
        .choices(Object.keys(CLASSES))
        .argParser(parseClass),
    )
    .option(
      "--device-key <key>",
      "public key of the device: hexadecimal, base64 or PEM",
      parseKeyInPlace,
    )
    .option("--keys <directory>", `directory of the cloud's keys (default: ${KEYS_DIRECTORY})`)
    .option("--db <file>", `the cloud's database, only read (default: ${DATABASE})`)
    .option("--prefix <prefix>", "topic prefix", TOPIC_PREFIX)
    .option("--full", "byte strings whole, however long")
    .option("--json", "one line of JSON for each message")
    .addHelpText(
      "after",
      `
Without a message it is read from standard input. Each layer is ok, fail, or unknown, and
then the text says which key is missing. No key is ever shown.

Exit codes: 0 every layer that can be judged holds, 1 one fails, 2 the command line is wrong.

Examples:
  $ coseflow inspect d08349a3010104410106...
  $ coseflow inspect --file captured.bin --topic cf/1/7dede6efc46eb7e6/session
  $ coseflow inspect --broker mqtt://localhost --topic 'cf/1/+/reading' --count 3`,
    )
    .action(async (message, options) => {
      if (message !== undefined && (options.file ?? options.broker) !== undefined)
        program.error("error: message, expected it once, got --file or --broker too", {
          exitCode: 2,
        });
      // A person who forgot the message would wait for ever.
      if ((message ?? options.file ?? options.broker) === undefined && process.stdin.isTTY)
        program.error("error: message, expected one, --file or --broker, got none", {
          exitCode: 2,
        });
      const evidence = openEvidence({
        keys: withDefault(options.keys, KEYS_DIRECTORY),
        db: withDefault(options.db, DATABASE),
        deviceKey: options.deviceKey,
      });
      try {
        const inspect = createInspector(options, evidence, output);
        const sound =
          options.broker === undefined
            ? await inspect(await readMessage(message, options.file), options.topic)
            : await inspectLive(options.broker, options, inspect);
        if (!sound) throw new JudgedAsFailed();
      } finally {
        evidence.close();
      }
    });
}
