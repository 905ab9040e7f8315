import type { Clock } from "../ports.ts";

/** Espruino's timers and time since this boot. Nothing here sets the system's clock. */
export function createClock(): Clock {
  const boot = getTime();
  return {
    uptime: () => getTime() - boot,
    setTimeout: setTimeout,
    clearTimeout: clearTimeout,
  };
}
