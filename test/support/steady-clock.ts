import type { RealClock } from "./net-port.ts";

/** How often it looks, and the most that passes from one look to the next, in our milliseconds. */
const BEAT_MS = 2;
const LONGEST_BEAT_MS = 5;

/**
 * A board's clock that runs so many times as fast as ours, but stands while this process does
 * not come round: between two beats everything that has arrived is read. On a busy machine a time-out of
 * the device is as many turns as on an idle one, so it says something about the other side.
 */
export function steadyClock(speed: number): RealClock {
  const timers = new Map<number, { due: number; callback: () => void }>();
  let lastId = 0;
  let now = 0;
  let seen = performance.now();

  function beat(): void {
    const before = seen;
    seen = performance.now();
    now += Math.min(seen - before, LONGEST_BEAT_MS) * speed;
    const due = [...timers].filter(([, timer]) => timer.due <= now);
    due.sort(([one, first], [other, second]) => first.due - second.due || one - other);
    for (const [id, { callback }] of due) if (timers.delete(id)) callback();
  }
  const interval = setInterval(beat, BEAT_MS);

  return {
    uptime: () => now / 1000,
    setTimeout(callback, milliseconds) {
      lastId += 1;
      timers.set(lastId, { due: now + milliseconds, callback });
      return lastId;
    },
    clearTimeout: (id) => timers.delete(id),
    stop() {
      clearInterval(interval);
      timers.clear();
    },
  };
}
