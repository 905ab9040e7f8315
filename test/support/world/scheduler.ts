/** Time that passes only from event to event, so that a day of a device takes milliseconds. */
export interface Scheduler {
  /** Seconds since the world began. */
  now(): number;
  /** Runs the task later; gives its number. */
  at(delayMs: number, task: () => void | Promise<void>): number;
  cancel(id: number): void;
  /** Time passes while a task runs: nothing else happens meanwhile, what was due is late. */
  block(seconds: number): void;
  /** Runs tasks until `done` holds; false when it does not within that many seconds. */
  until(done: () => boolean, seconds: number): Promise<boolean>;
}

interface Task {
  id: number;
  due: number;
  run: () => void | Promise<void>;
}

export function createScheduler(): Scheduler {
  let now = 0;
  let lastId = 0;
  /** By due time, and by number among equals. */
  const tasks: Task[] = [];

  return {
    now: () => now,
    at(delayMs, run) {
      const task = { id: ++lastId, due: now + Math.max(0, delayMs) / 1000, run };
      let place = tasks.length;
      while (place > 0 && (tasks[place - 1] as Task).due > task.due) place--;
      tasks.splice(place, 0, task);
      return task.id;
    },
    cancel(id) {
      const place = tasks.findIndex((task) => task.id === id);
      if (place >= 0) tasks.splice(place, 1);
    },
    block(seconds) {
      now += seconds;
    },
    async until(done, seconds) {
      const end = now + seconds;
      while (!done()) {
        const [next] = tasks;
        if (next === undefined || next.due > end) return false;
        tasks.shift();
        now = Math.max(now, next.due);
        await next.run();
      }
      return true;
    },
  };
}
