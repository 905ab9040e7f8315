/**
 * The interpreter's one thread. Every entry into the bundle goes through here: one
 * task at a time, what a task queues runs after it, an uncaught error is reported
 * and the board goes on, and after stop() nothing runs any more.
 */
export interface Loop {
  readonly running: boolean;
  /** Runs a task now, or after the one that is running. */
  run(task: () => void): void;
  stop(): void;
}

export function createLoop(report: (thrown: unknown) => void): Loop {
  const queue: (() => void)[] = [];
  let running = true;
  let busy = false;

  function execute(task: () => void): void {
    try {
      task();
    } catch (thrown) {
      // What a dying board throws on its way down is nobody's concern.
      if (running) report(thrown);
    }
  }

  return {
    get running() {
      return running;
    },
    run(task) {
      if (!running) return;
      queue.push(task);
      if (busy) return;
      busy = true;
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) execute(next);
      busy = false;
    },
    stop() {
      running = false;
      queue.length = 0;
    },
  };
}
