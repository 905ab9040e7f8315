import type { Command } from "@commander-js/extra-typings";
import { checkClaim } from "../../cloud/claims.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { readText } from "../board/read-file.ts";
import { EXIT_CODES } from "./exit.ts";
import type { Output } from "./output.ts";
import { provision } from "./provision-issue.ts";
import { withIssue } from "./provision-options.ts";
import { addResend, addStatus } from "./provision-status.ts";
import { addUpdate } from "./provision-update.ts";

/** In a file: on the command line every user would see it. */
function readClaim(file: string | undefined): Bytes | undefined {
  return file === undefined ? undefined : checkClaim(readText(file).trim());
}

function addRequest(parent: Command, output: Output): void {
  withIssue(parent.command("request") as Command)
    .description("tell a device to enrol again, under the user")
    .option("--claim-file <file>", "a claim to enrol with, as `coseflow claim new` printed it")
    .option("--plain", "where the policy says plain: yes, anybody may read and make it")
    .addHelpText(
      "after",
      `
${EXIT_CODES}

Example:
  $ coseflow provision request --device boiler --user ann --broker mqtt://localhost`,
    )
    .action((options) => {
      const claim = readClaim(options.claimFile);
      const wanted = { action: "request", isPlainAllowed: options.plain === true, claim } as const;
      return provision(wanted, options, output);
    });
}

function addDelete(parent: Command, output: Output): void {
  withIssue(parent.command("delete") as Command)
    .description("make a device erase its keys, readings and settings")
    .addHelpText(
      "after",
      `
From its issue on the cloud takes nothing from the device but the reply. Its key never comes
back; its device id is free for a new claim. Without a reply the delete is unconfirmed, and
"coseflow device revoke" closes the device for the cloud.

${EXIT_CODES}

Example:
  $ coseflow provision delete --device boiler --user ann --broker mqtt://localhost`,
    )
    .action((options) => provision({ action: "delete" }, options, output));
}

export function addProvisionCommand(program: Command, output: Output): void {
  const group = program
    .command("provision")
    .description("tell a device what to do, and wait for its signed reply")
    .addHelpText(
      "after",
      `
Each command is stored, audited and then sent; "coseflow serve" stores the reply, in the same
database. Exit codes: 0 the device has done it; 1 it has refused, or did not answer in time;
2 the command line is wrong.

Example:
  $ coseflow provision request --device boiler --user ann --broker mqtt://localhost`,
    ) as Command;
  addRequest(group, output);
  addUpdate(group, output);
  addDelete(group, output);
  addStatus(group, output);
  addResend(group, output);
}
