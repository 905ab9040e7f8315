/**
 * Safe mode: no key opened, no session, no counter spent, no network. The console
 * answers, a line a minute tells why, and after a pause the board tries again.
 */
import { openBootGuard, RESET_PAUSE, STABLE_SECONDS } from "./boot-guard.ts";
import { restart, type ServiceState } from "./service-state.ts";

/** One status line this often. */
const REPORT_SECONDS = 60;

/** `grow`: the pause is longer next time, unless a boot in normal running has lasted. */
export function runSafeMode(
  service: Pick<ServiceState, "cold" | "clock" | "crypto" | "log" | "boots" | "system">,
  why: string,
  grow: boolean,
): void {
  const clock = service.clock;
  const guard = openBootGuard(service.crypto, service.log);
  const began = clock.uptime();
  let lasted = false;

  function report(): void {
    const since = Math.round(clock.uptime() - began);
    const left = guard.pauseSeconds - since;
    if (since >= STABLE_SECONDS && !lasted) {
      lasted = true;
      guard.safeLasted(grow);
    }
    if (left <= 0) {
      service.log("safe mode ends: restarting");
      restart(service, RESET_PAUSE);
      return;
    }
    service.log("safe mode (" + why + "): restart in " + Math.ceil(left / 60) + " min");
    clock.setTimeout(report, Math.min(REPORT_SECONDS, left) * 1000);
  }

  report();
}
