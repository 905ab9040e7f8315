import type { Clock, System } from "./ports.ts";

/** A blocked connect takes 22 s, after a name that blocks for nearly as long: twice that, and room. */
export const WATCHDOG_SECONDS = 120;
/** Five feedings may fail to come before the board resets. */
const FEED_SECONDS = 20;

/**
 * Starts the watchdog and feeds it from a timer. Espruino's own way ("auto") feeds it
 * from the idle loop, which goes on when all timers are gone: that device would sit
 * there for ever. Fed like this, a hung interpreter and dead timers both end in a reset.
 */
export function startWatchdog(clock: Clock, interpreter: System["interpreter"]): void {
  function feed(): void {
    // In this order: if no timer can be set any more, it is not fed either.
    clock.setTimeout(feed, FEED_SECONDS * 1000);
    interpreter.kickWatchdog();
  }

  interpreter.enableWatchdog(WATCHDOG_SECONDS, false);
  feed();
}
