import type { Output } from "./output.ts";

const TICK_MS = 1000;
/** To the start of the line, and nothing in it. */
const CLEAR = "\r\x1b[K";

export interface Progress {
  /** A line that stays; the same twice in a row is said once. */
  say(line: string): void;
  end(): void;
}

/** What is done, line by line; on a terminal the last line counts the seconds. */
export function showProgress(output: Output, timeout: number, isTerminal: boolean): Progress {
  const start = Date.now();
  let said = "";

  function count(): void {
    const seconds = Math.floor((Date.now() - start) / 1000);
    output.note(
      `${CLEAR}waiting for the reply: ${seconds} s of ${timeout} s (Ctrl-C stops waiting)`,
    );
  }

  const timer = isTerminal ? setInterval(count, TICK_MS) : undefined;
  return {
    say(line) {
      if (line === said) return;
      said = line;
      output.note(`${isTerminal ? CLEAR : ""}${line}\n`);
      if (isTerminal) count();
    },
    end() {
      clearInterval(timer);
      if (isTerminal) output.note(CLEAR);
    },
  };
}
