import type { Clock } from "./ports.ts";

/** A signature takes the chip a tenth of a second or more: a broker must not keep it busy with them. */
const SECONDS_EACH = 10;
const BURST = 3;

/**
 * The one limit for all inbound messages with a signature or certificate to verify. Each
 * call that gives true stands for one of them; false: the message is to be dropped.
 */
export function createVerifyLimit(clock: Clock): () => boolean {
  /** When all that was let in would have had its turn, one after the other. */
  let busyUntil = 0;

  return function mayVerify(): boolean {
    const now = clock.uptime();
    const from = Math.max(busyUntil, now);
    if (from - now > SECONDS_EACH * (BURST - 1)) return false;
    busyUntil = from + SECONDS_EACH;
    return true;
  };
}
