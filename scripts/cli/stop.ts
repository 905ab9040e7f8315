const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Watches for the first signal to end, or for nobody reading our output any more. */
export function watchForStop(): { stopped: Promise<void>; unwatch(): void } {
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = () => resolve();
  });
  for (const signal of STOP_SIGNALS) process.once(signal, stop);
  process.stdout.once("error", stop);
  return {
    stopped,
    unwatch() {
      for (const signal of STOP_SIGNALS) process.removeListener(signal, stop);
      process.stdout.removeListener("error", stop);
    },
  };
}
