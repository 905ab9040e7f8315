import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Check, ok, warn } from "./check.ts";
import type { Machine } from "./machine.ts";

/** udev gives a new port its group and its lasting name; a container has none of its own. */
export function udevCheck({ run }: Machine): Check {
  return {
    name: "udev",
    async run() {
      if (existsSync(join(run, "udev", "control"))) return [ok("udev runs")];
      return [
        warn(
          "udev does not run here",
          "a board's port gets no group and no lasting name (a container sees only ports given to it)",
          "sudo systemctl start systemd-udevd; for a container: --device /dev/ttyUSB0 --group-add dialout",
        ),
      ];
    },
  };
}
