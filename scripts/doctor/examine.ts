import { explain } from "../cli/exit.ts";
import { printable } from "../cli/output.ts";
import { bad, type Check, type Finding } from "./check.ts";

/** A finding with the name of its check. */
export interface Examined extends Finding {
  check: string;
}

/** A check that cannot look is a finding too, and the others are still run. */
async function runCheck(check: Check): Promise<Finding[]> {
  try {
    return await check.run();
  } catch (error) {
    return [bad(explain(error), "the check could not look", "run it as another user, or as root")];
  }
}

/** Runs the checks one after the other and gives each finding as it is there. */
export async function examine(
  checks: Check[],
  found: (finding: Examined) => void,
): Promise<{ sound: boolean }> {
  let sound = true;
  for (const check of checks) {
    for (const finding of await runCheck(check)) {
      if (finding.result === "fail") sound = false;
      found({ check: check.name, ...finding });
    }
  }
  return { sound };
}

const CHECK_WIDTH = "certificates".length;
const RESULT_WIDTH = "warn".length;
/** Colours of a terminal: green, yellow, red. */
const COLOURS = { ok: 32, warn: 33, fail: 31 } as const;

export function findingText(finding: Examined, colour: boolean): string {
  const { check, result, text, cause, fix } = finding;
  const word = result.padEnd(RESULT_WIDTH);
  const shown = colour ? `\u001b[${COLOURS[result]}m${word}\u001b[0m` : word;
  const indent = " ".repeat(RESULT_WIDTH + 2 + CHECK_WIDTH + 2);
  return [
    `${shown}  ${check.padEnd(CHECK_WIDTH)}  ${printable(text)}`,
    ...(cause === undefined ? [] : [`${indent}cause: ${printable(cause)}`]),
    ...(fix === undefined ? [] : [`${indent}fix:   ${printable(fix)}`]),
    "",
  ].join("\n");
}

export function findingJson({ check, result, text, cause, fix }: Examined): string {
  return JSON.stringify({ check, result, text, cause, fix });
}
