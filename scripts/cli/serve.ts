import type { Command } from "@commander-js/extra-typings";
import type { EventRecord, Measurement, TimeSource } from "../../cloud/receiver/view.ts";
import { startCloud } from "../../cloud/service.ts";
import { TOPIC_PREFIX } from "../../protocol/topics.ts";
import { DATABASE, KEYS_DIRECTORY } from "./defaults.ts";
import { EXIT_CODES_RUNNING } from "./exit.ts";
import { datedToNdjson, eventToNdjson, type Output, printable, toNdjson } from "./output.ts";
import { parseBroker } from "./parse.ts";
import { PASSWORD_VARIABLE, readPassword } from "./password.ts";
import { watchForStop } from "./stop.ts";

const DATED: Record<TimeSource, string> = {
  device: "dated by the device",
  "boot-report": "dated by a boot report",
  arrival: "dated on arrival",
};

function recordText(record: Measurement | EventRecord, from: string): string {
  const { device, name, value, unit, time, timeFrom } = record;
  const when = new Date(time * 1000).toISOString();
  // "1" is SenML's unit of a plain number: nothing to say.
  const shown = unit === undefined || unit === "1" ? "" : ` ${printable(unit)}`;
  return `${when}  ${printable(device)}  ${printable(name)} ${value}${shown}  (${from}, ${DATED[timeFrom]})`;
}

function toText(measurement: Measurement): string {
  return recordText(measurement, `session ${measurement.session}, reading ${measurement.sequence}`);
}

function eventToText(record: EventRecord): string {
  return recordText(record, `event ${record.counter}`);
}

export function addServeCommand(program: Command, output: Output): void {
  program
    .command("serve")
    .description(
      "receive: open, check and store what devices send, and print each reading and event",
    )
    .requiredOption("--broker <url>", "mqtt://host:port (also mqtts, ws, wss)", parseBroker)
    .option("--username <name>", "user name at the broker")
    .option("--password-file <file>", `file with the password (or ${PASSWORD_VARIABLE})`)
    .option("--keys <directory>", "directory of the keys", KEYS_DIRECTORY)
    .option("--db <file>", "database", DATABASE)
    .option("--prefix <prefix>", "topic prefix", TOPIC_PREFIX)
    .option("--client-id <id>", "MQTT client id (default: from the cloud's key id)")
    .option("--json", "one line of JSON for each record of a reading or event")
    .addHelpText(
      "after",
      `
Readings and events go to standard output, everything else as lines of JSON to standard error.
A reading that a device took before it knew the time is printed when it arrives, and once more
("kind": "dated") when the device has reported its boot.
Devices enrol as long as the key directory holds the keys of registrar and issuing CA. Without
them it says "no-registrar", and receives only. The directory is looked at every ten seconds: what "coseflow
ca issue" and "ca revoke" did counts then ("keys-renewed").
While the broker is down it tries again and again; SIGINT or SIGTERM ends it.

${EXIT_CODES_RUNNING}

Examples:
  $ coseflow serve --broker mqtt://localhost
  $ coseflow serve --broker mqtts://broker.example --username cloud --password-file pw --json`,
    )
    .action(async (options) => {
      const format = options.json ? toNdjson : toText;
      const formatDated = options.json ? datedToNdjson : toText;
      const formatEvent = options.json ? eventToNdjson : eventToText;
      // Listening for signals first: one during the start must not be lost.
      const { stopped, unwatch } = watchForStop();
      try {
        const cloud = await startCloud({
          broker: options.broker,
          username: options.username,
          password: readPassword(options.passwordFile),
          keys: options.keys,
          database: options.db,
          prefix: options.prefix,
          clientId: options.clientId,
          log: (line) => output.note(`${JSON.stringify(line)}\n`),
          onReading: (measurement) => output.out(`${format(measurement)}\n`),
          onDated: (measurement) => output.out(`${formatDated(measurement)}\n`),
          onEvent: (records) =>
            output.out(records.map((record) => `${formatEvent(record)}\n`).join("")),
          keepTrying: true,
        });
        try {
          await stopped;
        } finally {
          await cloud.close();
        }
      } finally {
        unwatch();
      }
    });
}
