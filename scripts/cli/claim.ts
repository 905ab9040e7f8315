import { type Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { newClaim } from "../../cloud/claims.ts";
import type { ClaimSummary, RefusedEnrolment } from "../../cloud/store/enrolment.ts";
import { toHex } from "../../protocol/bytes.ts";
import { EXIT_CODES } from "./exit.ts";
import { type Output, printable, when } from "./output.ts";
import { table } from "./table.ts";
import { DATABASE_OPTION, withStore } from "./with-store.ts";

/** Seconds of a unit. */
const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };
/** A claim is for the next board on the table, not for a drawer. */
const LONGEST = 30 * 86_400;

/** "90s", "15m", "1h" or "7d" as seconds. */
export function parseDuration(text: string): number {
  const [, count, unit = ""] = /^([1-9]\d{0,8})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (UNITS[unit] ?? 0);
  if (!(seconds > 0 && seconds <= LONGEST))
    throw new InvalidArgumentError("expected a time up to 30d, such as 90s, 15m, 1h or 7d.");
  return seconds;
}

/** Of the devices that were refused, the newest. */
const MOST_REFUSED = 10;

function stateOf({ usedAt, expiresAt }: ClaimSummary, now: number): "used" | "expired" | "open" {
  if (usedAt !== undefined) return "used";
  return expiresAt <= now ? "expired" : "open";
}

function toJson(claim: ClaimSummary, now: number) {
  const { hash, userId, deviceId = null, madeAt, expiresAt, usedAt = null, usedBy } = claim;
  return {
    ...{ hash: toHex(hash), state: stateOf(claim, now), userId, deviceId },
    ...{ madeAt, expiresAt, usedAt, usedBy: usedBy === undefined ? null : toHex(usedBy) },
  };
}

function toRow(claim: ClaimSummary, now: number): string[] {
  return [
    toHex(claim.hash).substring(0, 16),
    stateOf(claim, now),
    printable(claim.userId),
    printable(claim.deviceId ?? "-"),
    when(claim.expiresAt),
    claim.usedBy === undefined ? "-" : toHex(claim.usedBy),
  ];
}

function addNew(claim: Command, output: Output): void {
  claim
    .command("new")
    .description("make a claim, with which one device may enrol, and print it")
    .requiredOption("--user <id>", "the user that the device will belong to")
    .option("--device <id>", "the device id it may take (default: one that no device ever bore)")
    .option("--expires <time>", "how long it may be used: 90s, 15m, 1h, 7d", parseDuration, 3600)
    .option("--json", "one line of JSON")
    .option(...DATABASE_OPTION)
    .addHelpText(
      "after",
      `
The 32 digits go into the device's settings. They are shown this once: the database has
only their hash. A claim with --device can take over the id of a device that was deleted
or revoked; no claim takes an id that a device bears.

${EXIT_CODES}

Examples:
  $ coseflow claim new --user ann
  $ coseflow claim new --user ann --device boiler --expires 7d`,
    )
    .action(async ({ user, device, expires, json, db }) => {
      const options = { userId: user, deviceId: device, seconds: expires };
      const made = await withStore(db, (store) => newClaim(store, options));
      output.out(json ? `${JSON.stringify({ claim: made, expiresIn: expires })}\n` : `${made}\n`);
    });
}

const refusedToJson = ({ device, reason, at }: RefusedEnrolment) =>
  `${JSON.stringify({ kind: "refused", kid: toHex(device), reason, at })}\n`;

/** A device hears nothing when it is refused: whoever mistyped its claim finds it here. */
function refusedTable(refused: RefusedEnrolment[]): string {
  if (refused.length === 0) return "";
  const rows = refused.map(({ device, reason, at }) => [toHex(device), reason, when(at)]);
  return `\n${table(["REFUSED", "REASON", "WHEN"], rows)}`;
}

export function addClaimCommand(program: Command, output: Output): void {
  const claim = program
    .command("claim")
    .description("one-time claims, with which devices enrol")
    .addHelpText(
      "after",
      "\nExamples:\n  $ coseflow claim new --user ann\n  $ coseflow claim list",
    );
  addNew(claim as Command, output);

  claim
    .command("list")
    .description("show the claims, by their hashes, and the devices that were refused of late")
    .option("--json", 'one line of JSON for each claim, and of "kind": "refused" for each device')
    .option(...DATABASE_OPTION)
    .addHelpText(
      "after",
      `
${EXIT_CODES}

Examples:
  $ coseflow claim list
  $ coseflow claim list --json`,
    )
    .action(async ({ json, db }) => {
      const [claims, refused] = await withStore(db, (store) =>
        Promise.all([store.listClaims(), store.listRefusedEnrolments(MOST_REFUSED)]),
      );
      const now = Math.floor(Date.now() / 1000);
      if (json) {
        for (const one of claims) output.out(`${JSON.stringify(toJson(one, now))}\n`);
        for (const one of refused) output.out(refusedToJson(one));
      } else {
        const head = ["HASH", "STATE", "USER", "DEVICE", "EXPIRES", "USED BY"];
        output.out(
          table(
            head,
            claims.map((one) => toRow(one, now)),
          ),
        );
        output.out(refusedTable(refused));
      }
    });
}
