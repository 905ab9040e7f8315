import { fromBigEndian } from "../protocol/bytes.ts";
import type { Random } from "./ports.ts";

/** The first pause lasts up to this, and each further one up to twice as long ... */
export const BACKOFF_FIRST_MS = 1000;
/** ... as this: a broker or access point that comes back sees all its devices within two minutes. */
export const BACKOFF_MAX_MS = 120000;

/**
 * Milliseconds to wait before attempt `failures` + 1: exponential with full jitter,
 * so that devices that lost one broker do not come back together. Without
 * randomness the whole pause: late is safe, together is not.
 */
export function backoffMs(failures: number, random: Random): number {
  const limit = Math.min(BACKOFF_FIRST_MS * Math.pow(2, failures - 1), BACKOFF_MAX_MS);
  try {
    // Not an argument: it is called where the stack is deep, and each call around it adds 400 bytes.
    const share = random(2);
    return Math.floor((limit * fromBigEndian(share)) / 65536);
  } catch {
    return limit;
  }
}
