import type { Check, Finding } from "../../../scripts/doctor/check.ts";
import { type Machine, thisMachine } from "../../../scripts/doctor/machine.ts";

/** This machine, with what a test breaks of it. */
export function machineWith(changes: Partial<Machine>): Machine {
  return { ...thisMachine(), ...changes };
}

/** An ordinary user of group 1000, and of those given. */
export function userIn(...groups: number[]): Machine["user"] {
  return { name: "ada", uid: 1000, groups: [1000, ...groups] };
}

export const resultsOf = async (check: Check) => (await check.run()).map(({ result }) => result);

/** The one finding that is not ok. */
export async function problemOf(check: Check): Promise<Finding> {
  const findings = await check.run();
  const problems = findings.filter(({ result }) => result !== "ok");
  const [problem] = problems;
  if (problem === undefined || problems.length > 1)
    throw new Error(`problems, expected one, got ${JSON.stringify(findings)}`);
  return problem;
}
