import { createClock } from "../../../firmware/espruino/clock.ts";
import type { Clock } from "../../../firmware/ports.ts";
import type { Power } from "./power.ts";
import type { Scheduler } from "./scheduler.ts";

/** The system's clock of a virtual device: seconds that it is ahead of the world's. */
export interface DeviceClock {
  ahead: number;
}

/** Espruino's timers and time of one boot, whose uptime starts from `uptime` seconds. */
export function createVirtualClock(
  scheduler: Scheduler,
  power: Power,
  uptime: number,
  deviceClock: DeviceClock | undefined,
): Clock {
  const bootedAt = scheduler.now();
  const inner = deviceClock && openDeviceClock(scheduler, deviceClock);
  return {
    uptime() {
      power.check();
      return (inner ? inner() : scheduler.now() - bootedAt) + uptime;
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

/** What the firmware itself makes of Espruino's getTime(). */
function openDeviceClock(scheduler: Scheduler, deviceClock: DeviceClock): () => number {
  const espruino = globalThis as { getTime?: () => number };
  // As each device asks: there may be another in this process.
  const lend = () => {
    espruino.getTime = () => scheduler.now() + deviceClock.ahead;
  };
  lend();
  const clock = createClock();
  return () => {
    lend();
    return clock.uptime();
  };
}
