import type { Loop } from "./loop.ts";
import type { Realm, RealmFunction } from "./realm.ts";

/** Node fires a longer timer at once, so a long wait is cut into pieces of this. */
const longestPiece = 2 ** 31 - 1;
/** Espruino's own limit: 100 years. */
const longestWait = 3153600000000;

interface Timer {
  /** When it runs next, on the clock of performance.now(). */
  due: number;
  /** Milliseconds between two runs; undefined for a timeout. */
  period: number | undefined;
  task: () => void;
}

/** Timers of one power cycle, numbered from 1 as the interpreter does. */
export interface Timers {
  add(task: () => void, milliseconds: number, repeat: boolean): number;
  /** A new period from now on; false for a number that is not running. */
  change(id: number, milliseconds: number): boolean;
  remove(id: number): void;
  clear(): void;
}

/** Not a number and less than a millisecond count as one. */
function clamp(milliseconds: number): number {
  return Math.max(Number(milliseconds) || 1, 1);
}

/** One timer of the host drives them all, so that they run in the order they are due. */
export function createTimers(loop: Loop): Timers {
  const timers = new Map<number, Timer>();
  let last = 0;
  let handle: NodeJS.Timeout | undefined;

  function schedule(): void {
    clearTimeout(handle);
    if (timers.size === 0) return;
    const dues = Array.from(timers.values(), (timer) => timer.due);
    const wait = Math.ceil(Math.min(...dues) - performance.now());
    handle = setTimeout(wake, Math.min(Math.max(wait, 0), longestPiece));
  }

  /** An interval that is late does not make up for the runs it missed. */
  function renew(id: number, timer: Timer, now: number): void {
    if (timer.period === undefined) timers.delete(id);
    else timer.due = Math.max(timer.due + timer.period, now);
  }

  function wake(): void {
    const now = performance.now();
    const due = [...timers].filter(([, timer]) => timer.due <= now);
    due.sort(([, one], [, other]) => one.due - other.due);
    for (const [id, timer] of due) {
      // The one before may have cleared it.
      if (timers.get(id) !== timer) continue;
      renew(id, timer, now);
      loop.run(timer.task);
    }
    schedule();
  }

  return {
    add(task, milliseconds, repeat) {
      const wait = clamp(milliseconds);
      last++;
      timers.set(last, { due: performance.now() + wait, period: repeat ? wait : undefined, task });
      schedule();
      return last;
    },
    change(id, milliseconds) {
      const timer = timers.get(id);
      if (timer === undefined) return false;
      timer.period = clamp(milliseconds);
      timer.due = performance.now() + timer.period;
      schedule();
      return true;
    },
    remove(id) {
      timers.delete(id);
      schedule();
    },
    clear() {
      timers.clear();
      schedule();
    },
  };
}

/** setTimeout and its kin, with Espruino's traps: clearing undefined throws, clearing nothing clears all. */
export function defineTimers(realm: Realm, timers: Timers): void {
  function start(callback: unknown, milliseconds: number, values: unknown[], repeat: boolean) {
    if (typeof callback !== "function" && typeof callback !== "string")
      throw new Error("Function or String not supplied!");
    if (milliseconds > longestWait) throw new Error("Interval is too long (>100 years)");
    const task = () => {
      if (typeof callback === "string") realm.evaluate(callback, "timer");
      else (callback as RealmFunction)(...values);
    };
    return timers.add(task, milliseconds, repeat);
  }

  function stopper(name: string) {
    return (...ids: unknown[]) => {
      if (ids.length === 0) return timers.clear();
      if (ids[0] === undefined)
        throw new Error(`clear${name}(undefined) not allowed. Use clear${name}() instead`);
      timers.remove(ids[0] as number);
    };
  }

  const functions = {
    setTimeout: (callback: unknown, milliseconds: number, ...values: unknown[]) =>
      start(callback, milliseconds, values, false),
    setInterval: (callback: unknown, milliseconds: number, ...values: unknown[]) =>
      start(callback, milliseconds, values, true),
    clearTimeout: stopper("Timeout"),
    clearInterval: stopper("Interval"),
    changeInterval(id: number, milliseconds: number) {
      if (!timers.change(id, milliseconds)) throw new Error("Unknown Interval");
    },
  };
  for (const [name, host] of Object.entries(functions)) realm.define(name, realm.door(host));
}
