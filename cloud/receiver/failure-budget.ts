import type { Bytes } from "../../protocol/bytes.ts";

export interface Allowance {
  /** Failures at once before what follows is refused unverified. */
  burst: number;
  /** How many each second gives back. */
  perSecond: number;
}

/** In one device's name: checking a signature costs more than everything before it together. */
const PER_DEVICE: Allowance = { burst: 64, perSecond: 1 };
/** Devices remembered; the one that failed longest ago is forgotten first. */
const MAX_DEVICES = 4096;

/**
 * Bounds what forged session messages and events cost. Only failures are counted, so an
 * honest device is never slowed down by its own messages; under an attack in its name it
 * repeats them until they get through.
 */
export interface FailureBudget {
  allows(device: Bytes): boolean;
  /** `cost`: how many ordinary failures this one is worth. */
  spend(device: Bytes, cost?: number): void;
}

interface Bucket {
  failures: number;
  /** Unix seconds. */
  at: number;
}

export function createFailureBudget(
  now: () => number,
  { burst, perSecond } = PER_DEVICE,
): FailureBudget {
  const buckets = new Map<Bytes, Bucket>();

  /** Failures not yet given back. A clock that jumps backwards gives none. */
  function failuresOf(device: Bytes): number {
    const bucket = buckets.get(device);
    if (!bucket) return 0;
    const refilled = Math.max(0, now() - bucket.at) * perSecond;
    return Math.max(0, bucket.failures - refilled);
  }

  return {
    allows: (device) => failuresOf(device) < burst,
    spend(device, cost = 1) {
      const failures = failuresOf(device) + cost;
      buckets.delete(device);
      const [oldest] = buckets.keys();
      if (buckets.size >= MAX_DEVICES && oldest !== undefined) buckets.delete(oldest);
      buckets.set(device, { failures, at: now() });
    },
  };
}
