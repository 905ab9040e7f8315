import type { Loop } from "./loop.ts";
import type { Realm, RealmFunction } from "./realm.ts";

/** Node fires a longer timer at once, so a long wait is cut into pieces of this. */
const longestPiece = 2 ** 31 - 1;
/** Espruino's own limit: 100 years. */
const longestWait = 3153600000000;

interface Timer {
  due: number;
  /** Milliseconds between two runs; undefined for a timeout. */
  period: number | undefined;
  task: () => void;
  handle: NodeJS.Timeout | undefined;
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

export function createTimers(loop: Loop): Timers {
  const timers = new Map<number, Timer>();
  let last = 0;

  function arm(id: number, timer: Timer): void {
    clearTimeout(timer.handle);
    const wait = Math.min(Math.max(timer.due - performance.now(), 0), longestPiece);
    timer.handle = setTimeout(() => fire(id, timer), wait);
  }

  function fire(id: number, timer: Timer): void {
    const isEarly = timer.due > performance.now() + 1;
    if (!isEarly && timer.period !== undefined) timer.due += timer.period;
    if (isEarly || timer.period !== undefined) arm(id, timer);
    else timers.delete(id);
    if (!isEarly) loop.run(timer.task);
  }

  function remove(id: number): void {
    clearTimeout(timers.get(id)?.handle);
    timers.delete(id);
  }

  return {
    add(task, milliseconds, repeat) {
      const wait = clamp(milliseconds);
      const period = repeat ? wait : undefined;
      const timer: Timer = { due: performance.now() + wait, period, task, handle: undefined };
      last++;
      timers.set(last, timer);
      arm(last, timer);
      return last;
    },
    change(id, milliseconds) {
      const timer = timers.get(id);
      if (timer === undefined) return false;
      timer.period = clamp(milliseconds);
      timer.due = performance.now() + timer.period;
      arm(id, timer);
      return true;
    },
    remove,
    clear() {
      for (const id of [...timers.keys()]) remove(id);
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
