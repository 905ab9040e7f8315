import { EXIT } from "./exit-code.ts";
import { endOnSignal, unwritten } from "./stop.ts";

/**
 * Looks after what a command does not look after itself: a signal in the middle, and output that
 * cannot be written. What is given is called with the command's own exit code, when it is over.
 */
export function guardProcess(): (code: number) => void {
  endOnSignal((signal) => {
    process.stderr.write(`coseflow: stopped by ${signal}, not done\n`);
    return EXIT.failure;
  });
  let failed = false;
  function onError(error: NodeJS.ErrnoException): void {
    const isHeardElsewhere = process.stdout.listeners("error").at(-1) !== onError;
    // Where nobody reads any more, what is being done is done all the same.
    if (error.code === "EPIPE" || failed || isHeardElsewhere) return;
    failed = true;
    process.stderr.write(`coseflow: ${unwritten(error)}\n`);
    process.exitCode = EXIT.failure;
  }
  process.stdout.on("error", onError);
  // There is no place left to say it.
  process.stderr.on("error", () => {});
  return (code) => {
    process.exitCode = failed ? EXIT.failure : code;
  };
}
