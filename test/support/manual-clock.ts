import type { Clock } from "../../firmware/ports.ts";

export interface ManualClock extends Clock {
  /** Lets time pass: runs every timer that falls due, in order. */
  advance(seconds: number): void;
  /** Timers that have not run yet. */
  pending(): number;
}

/** A clock that moves only when told to, so that hours of back-off take no time. */
export function createManualClock(): ManualClock {
  let now = 0;
  let nextId = 1;
  const timers = new Map<number, { due: number; callback: () => void }>();

  function earliest(until: number): [number, { due: number; callback: () => void }] | undefined {
    let found: [number, { due: number; callback: () => void }] | undefined;
    for (const entry of timers)
      if (entry[1].due <= until && (!found || entry[1].due < found[1].due)) found = entry;
    return found;
  }

  return {
    uptime: () => now,
    setTimeout(callback, milliseconds) {
      timers.set(nextId, { due: now + Math.max(0, milliseconds) / 1000, callback });
      return nextId++;
    },
    clearTimeout(id) {
      timers.delete(id);
    },
    advance(seconds) {
      const end = now + seconds;
      for (let next = earliest(end); next; next = earliest(end)) {
        timers.delete(next[0]);
        now = Math.max(now, next[1].due);
        next[1].callback();
      }
      now = end;
    },
    pending: () => timers.size,
  };
}
