import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { showProgress } from "../../../scripts/cli/provision-progress.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function show(isTerminal: boolean) {
  let text = "";
  const output = {
    out: () => {},
    error: () => {},
    note: (more: string) => {
      text += more;
    },
  };
  const progress = showProgress(output, 120, isTerminal);
  progress.say("stored");
  vi.advanceTimersByTime(2000);
  progress.say("sent");
  progress.say("sent");
  progress.end();
  vi.advanceTimersByTime(5000);
  return text;
}

it("is plain lines where nobody watches", () => expect(show(false)).toBe("stored\nsent\n"));

it("counts the seconds in the last line of a terminal, and leaves the lines that stay", () => {
  const waiting = (seconds: number) =>
    `\r\x1b[Kwaiting for the reply: ${seconds} s of 120 s (Ctrl-C stops waiting)`;
  expect(show(true)).toBe(
    `\r\x1b[Kstored\n${waiting(0)}${waiting(1)}${waiting(2)}\r\x1b[Ksent\n${waiting(2)}\r\x1b[K`,
  );
});
