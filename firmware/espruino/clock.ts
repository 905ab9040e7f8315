import type { Clock } from "../ports.ts";

/**
 * Longer than two looks at the clock can be apart: the service looks every 20 s, and a board that
 * hangs is reset within two minutes.
 */
const LONGEST_STEP = 600;

/**
 * Espruino's timers and time since this boot. getTime() follows the system's clock, which
 * others may set (setTime(), on Linux the host): a step back, or a long one forward, counts as none,
 * or everything that waits for an uptime would wait that much longer or shorter, and all readings
 * until the next receipt would be dated wrong. Espruino's timers go on when setTime() is called.
 */
export function createClock(): Clock {
  let last = getTime();
  let uptime = 0;
  return {
    uptime() {
      const now = getTime();
      if (now > last && now - last < LONGEST_STEP) uptime += now - last;
      last = now;
      return uptime;
    },
    setTimeout: setTimeout,
    clearTimeout: clearTimeout,
  };
}
