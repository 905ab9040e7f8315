import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { bad, type Check, type Finding, ok, warn } from "./check.ts";
import { type Machine, runProgram } from "./machine.ts";

/** A file that was made elsewhere may be a little ahead of this clock. */
const SLACK_MS = 24 * 3600 * 1000;
const SET_CLOCK = "sudo timedatectl set-ntp true";

/**
 * The cloud's clock dates every receipt, and so every device. `built` is a file of the
 * build: the clock cannot be before it.
 */
export function clockCheck(machine: Machine, built: string): Check {
  const now = () => new Date(machine.now()).toISOString();

  function againstBuild(): Finding | undefined {
    const { mtimeMs } = statSync(built);
    if (machine.now() >= mtimeMs - SLACK_MS) return undefined;
    return bad(
      `the clock says ${now()}, before this program was built (${new Date(mtimeMs).toISOString()})`,
      "receipts would give devices a wrong time, and certificates would not be valid yet",
      SET_CLOCK,
    );
  }

  /** Undefined where nobody can tell: a container has its host's clock. */
  async function isSynchronized(): Promise<boolean | undefined> {
    if (existsSync(join(machine.run, "systemd", "timesync", "synchronized"))) return true;
    const show = ["show", "--property=NTPSynchronized", "--value"];
    const { code, out } = await runProgram(machine, "timedatectl", show);
    return code === 0 ? out.trim() === "yes" : undefined;
  }

  return {
    name: "clock",
    async run() {
      const behind = againstBuild();
      if (behind !== undefined) return [behind];
      const synchronized = await isSynchronized();
      if (synchronized === false)
        return [
          warn(
            `the clock says ${now()}, and nothing keeps it right`,
            "receipts give devices this clock's time",
            SET_CLOCK,
          ),
        ];
      const how = synchronized ? "synchronized" : "whether it is synchronized is not known here";
      return [ok(`${now()}, ${how}`)];
    },
  };
}
