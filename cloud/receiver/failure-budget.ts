import type { Bytes } from "../../protocol/bytes.ts";

/**
 * Signatures that may fail in one device's name before what it signs is refused
 * unverified: checking one costs more than everything before it together.
 */
const BURST = 64;
/** Seconds that give one of them back. */
const REFILL_SECONDS = 1;
/** Devices remembered; the one that failed longest ago is forgotten first. */
const MAX_DEVICES = 4096;

/**
 * Bounds what forged session messages and events cost. Only failures are counted, so an
 * honest device is never slowed down by its own messages; under an attack in its name it
 * repeats them until they get through.
 */
export interface FailureBudget {
  allows(device: Bytes): boolean;
  spend(device: Bytes): void;
}

interface Bucket {
  failures: number;
  /** Unix seconds. */
  at: number;
}

export function createFailureBudget(now: () => number): FailureBudget {
  const buckets = new Map<Bytes, Bucket>();

  /** Failures not yet given back. A clock that jumps backwards gives none. */
  function failuresOf(device: Bytes): number {
    const bucket = buckets.get(device);
    if (!bucket) return 0;
    const refilled = Math.max(0, now() - bucket.at) / REFILL_SECONDS;
    return Math.max(0, bucket.failures - refilled);
  }

  return {
    allows: (device) => failuresOf(device) < BURST,
    spend(device) {
      const failures = failuresOf(device) + 1;
      buckets.delete(device);
      const [oldest] = buckets.keys();
      if (buckets.size >= MAX_DEVICES && oldest !== undefined) buckets.delete(oldest);
      buckets.set(device, { failures, at: now() });
    },
  };
}
