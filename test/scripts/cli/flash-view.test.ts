import { expect, it } from "vitest";
import { createTextView } from "../../../scripts/cli/flash-view.ts";
import { FlashFailure } from "../../../scripts/flash/failure.ts";

const FAILURE = new FlashFailure("bundle", "stopped by SIGINT", "run it again");
const TOLD = "coseflow: not done, bundle: stopped by SIGINT\n  next: run it again\n";

function view(isTerminal: boolean, isQuiet: boolean) {
  const told = { out: "", error: "" };
  const text = createTextView(
    {
      out: (line) => {
        told.out += line;
      },
      error: (line) => {
        told.error += line;
      },
      note: () => {},
    },
    isTerminal,
    isQuiet,
  );
  return { told, text };
}

it("tells a failure on a line of its own, whatever became of the bar", () => {
  const half = view(true, false);
  half.text.progress("bundle", 0.5);
  half.text.failed(FAILURE);
  expect(half.told.error).toMatch(/^\r\[#{15}\.{15}\] {2}50 % bundle\n/);
  expect(half.told.error.endsWith(`bundle\n${TOLD}`)).toBe(true);

  const whole = view(true, false);
  whole.text.progress("bundle", 0.5);
  whole.text.progress("bundle", 1);
  whole.text.failed(FAILURE);
  expect(whole.told.error.endsWith(`100 % bundle\n${TOLD}`)).toBe(true);

  const quiet = view(true, true);
  quiet.text.progress("bundle", 0.5);
  quiet.text.failed(FAILURE);
  expect(quiet.told).toEqual({ out: "", error: TOLD });
});
