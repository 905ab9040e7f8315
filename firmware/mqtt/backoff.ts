import type { Random } from "../ports.ts";

/** The first pause lasts up to this, and each further one up to twice as long ... */
export const BACKOFF_FIRST_MS = 1000;
/** ... as this: a broker that comes back hears of every device within two minutes. */
export const BACKOFF_MAX_MS = 120000;
/** A connection that lasted this long was a success: back-off starts over. */
export const STABLE_S = 60;
/** A connect call that took this long stopped all else on the device: the longest pause follows. */
export const BLOCKED_S = 5;

/**
 * Milliseconds to wait before attempt `failures` + 1: exponential with full jitter,
 * so that devices that lost one broker do not come back together. Without
 * randomness the whole pause: late is safe, together is not.
 */
export function backoffMs(failures: number, random: Random): number {
  let limit = BACKOFF_FIRST_MS;
  for (let i = 1; i < failures && limit < BACKOFF_MAX_MS; i++) limit *= 2;
  if (limit > BACKOFF_MAX_MS) limit = BACKOFF_MAX_MS;
  try {
    const bytes = random(2);
    return Math.floor((limit * ((bytes.charCodeAt(0) << 8) | bytes.charCodeAt(1))) / 65536);
  } catch {
    return limit;
  }
}
