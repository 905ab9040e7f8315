import type { Clock } from "../ports.ts";

/**
 * Espruino's timers and time since this boot. getTime() follows the system's clock, which
 * others may set (on Linux the host does): a step back counts as none, or everything that
 * waits for an uptime would wait that much longer. Espruino's timers do not mind.
 */
export function createClock(): Clock {
  let last = getTime();
  let uptime = 0;
  return {
    uptime() {
      const now = getTime();
      uptime += Math.max(0, now - last);
      last = now;
      return uptime;
    },
    setTimeout: setTimeout,
    clearTimeout: clearTimeout,
  };
}
