import { type Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { fromPem } from "../../cloud/ca/certificate.ts";
import { validCertificates } from "../../cloud/keys/credentials.ts";
import { checkNoLockOut, JUDGED_ROLES } from "../../cloud/operator/lock-out.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import type { Update } from "../../protocol/update-parameters.ts";
import { readText } from "../board/read-file.ts";
import { EXIT_CODES } from "./exit.ts";
import type { Output } from "./output.ts";
import { parseCounter } from "./parse.ts";
import { provision } from "./provision-issue.ts";
import { withIssue } from "./provision-options.ts";
import { parseSensorOption, sensorUpdates } from "./provision-sensors.ts";
import {
  brokerUpdates,
  collect,
  issuedNotBeforeOf,
  parseIssuedNotBefore,
  parseNewBroker,
  WIFI_VARIABLE,
  wifiUpdates,
} from "./provision-settings.ts";

const unixNow = () => Math.floor(Date.now() / 1000);

function withUpdate(command: Command) {
  return withIssue(command)
    .option("--period <sensor=seconds>", "seconds between two readings", parseSensorOption)
    .option("--qos <sensor=qos>", "0 or 1", parseSensorOption)
    .option("--drop <sensor=drop>", "what a full queue loses: oldest or newest", parseSensorOption)
    .option("--board <file>", "board file: names of sensors, and what no option says of them")
    .option("--wifi <ssid>", "network to use in place of those it has, up to two", collect)
    .option(
      "--wifi-password-file <file>",
      `their passwords, one a line, empty for an open network (or ${WIFI_VARIABLE})`,
    )
    .option(
      "--device-broker <url>",
      "broker to use in place of those it has, up to four; ?maxQos=1 for one without QoS 2",
      parseNewBroker,
    )
    .option(
      "--device-broker-password-file <file>",
      "their passwords, one a line, empty for one without",
    )
    .option("--cloud-certificate [file]", "the newest of --keys, or one in PEM, to seal to")
    .option("--registrar-certificate [file]", "likewise, to take `enrolled` from")
    .option(
      "--issued-not-before <role=time>",
      "refuse older certificates of the role, for ever",
      parseIssuedNotBefore,
    )
    .option("--counter <number>", "device counter to move on to", parseCounter)
    .option("--roll", "draw a new device key");
}

type UpdateOptions = ReturnType<ReturnType<typeof withUpdate>["opts"]>;

/** DER of the file's certificate, or of the role's newest. */
function certificateOf(
  given: string | true | undefined,
  role: "cloud" | "registrar",
  keys: string,
): Bytes | undefined {
  if (given === undefined) return undefined;
  if (given === true) return validCertificates(keys, role, unixNow())[0].certificate.der;
  const certificate = fromPem(readText(given));
  if (certificate.role !== role)
    throw new Error(`${given}, expected a certificate of ${role}, got one of ${certificate.role}`);
  return certificate.der;
}

function updateOf(options: UpdateOptions): Update {
  const { keys, counter, roll } = options;
  const all: { [name in keyof Update]: Update[name] | undefined } = {
    sensors: sensorUpdates(options, options.board),
    wifi: wifiUpdates(options.wifi, options.wifiPasswordFile),
    brokers: brokerUpdates(options.deviceBroker, options.deviceBrokerPasswordFile),
    cloudCertificate: certificateOf(options.cloudCertificate, "cloud", keys),
    registrarCertificate: certificateOf(options.registrarCertificate, "registrar", keys),
    issuedNotBefore: issuedNotBeforeOf(options.issuedNotBefore),
    deviceCounter: counter,
    roll,
  };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Update;
}

/** What does not fit together is a wrong command line, like a value that is wrong by itself. */
function checkedUpdate(command: { error(message: string): never }, options: UpdateOptions): Update {
  try {
    const update = updateOf(options);
    if (Object.keys(update).length > 0) return update;
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    return command.error(`error: ${error.message}`);
  }
  return command.error("error: update, expected something to change, got nothing");
}

export function addUpdate(parent: Command, output: Output): void {
  const command = withUpdate(parent.command("update") as Command);
  command
    .description("change what a device works with, or renew its key")
    .addHelpText(
      "after",
      `
What is not named stays as it is; a list of networks or brokers replaces the whole list. A
sensor is named by its place in the board file, from 0, or with --board by its driver. A
device that is told to --roll takes its new key into use when nothing waits for a receipt any
more: its readings go on, under another key id and the same name. The roles whose certificates
devices judge are ${JUDGED_ROLES.join(", ")}.

${EXIT_CODES}

Examples:
  $ coseflow provision update --device boiler --user ann --broker mqtt://localhost \\
      --board boards/linux.json --period host=60
  $ coseflow provision update --device boiler --user ann --broker mqtt://localhost \\
      --wifi home --wifi-password-file wifi.txt`,
    )
    .action(async (options) => {
      const update = checkedUpdate(command, options);
      checkNoLockOut(update.issuedNotBefore, options.keys, unixNow());
      await provision({ action: "update", update }, options, output);
    });
}
