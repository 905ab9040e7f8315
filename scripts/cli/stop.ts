const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Ends the process at a signal, in the middle of what has no other end: `end` says that it is
 * not done, and gives the exit code. Of all who watch signals only the latest is heard.
 */
export function endOnSignal(end: (signal: NodeJS.Signals) => number): () => void {
  function listener(signal: NodeJS.Signals): void {
    if (process.listeners(signal).at(-1) === listener) process.exit(end(signal));
  }
  for (const signal of STOP_SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of STOP_SIGNALS) process.removeListener(signal, listener);
  };
}

export const unwritten = ({ code }: NodeJS.ErrnoException) =>
  `standard output, expected to be written, got ${code}`;

/**
 * Watches for the first signal to end, or for nobody reading our output any more
 * (EPIPE). `stopped` rejects when the output cannot be written for another reason: a
 * full disk must not look like an orderly end.
 */
export function watchForStop(): { stopped: Promise<void>; unwatch(): void } {
  let stop = () => {};
  let fail = (_error: Error) => {};
  const stopped = new Promise<void>((resolve, reject) => {
    stop = () => resolve();
    fail = reject;
  });
  // Awaited only once everything has started; until then a rejection just waits.
  stopped.catch(() => {});
  const outputFailed = (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") stop();
    else fail(new Error(unwritten(error)));
  };
  for (const signal of STOP_SIGNALS) process.once(signal, stop);
  process.stdout.on("error", outputFailed);
  return {
    stopped,
    unwatch() {
      for (const signal of STOP_SIGNALS) process.removeListener(signal, stop);
      process.stdout.removeListener("error", outputFailed);
    },
  };
}
