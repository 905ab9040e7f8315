import type { Clock } from "../../../firmware/ports.ts";
import type { Power } from "./power.ts";
import type { Scheduler } from "./scheduler.ts";

/** Espruino's timers and time of one boot, whose uptime starts from `uptime` seconds. */
export function createVirtualClock(scheduler: Scheduler, power: Power, uptime: number): Clock {
  const bootedAt = scheduler.now();
  return {
    uptime() {
      power.check();
      return scheduler.now() - bootedAt + uptime;
    },
    setTimeout(callback, milliseconds) {
      power.check();
      return scheduler.at(milliseconds, () => power.run(callback));
    },
    clearTimeout(id) {
      power.check();
      scheduler.cancel(id);
    },
  };
}
