import { ConsoleLost, ConsoleSilent, DeviceError } from "./console.ts";
import { NotWritten } from "./device-files.ts";
import { FlashFailure, type Step } from "./failure.ts";

/** Whatever went wrong at the console, for a person: why, and what to do. */
export function explain(error: unknown, step: Step): FlashFailure {
  if (error instanceof FlashFailure) return error;
  if (error instanceof ConsoleLost)
    return new FlashFailure(
      step,
      "the port is gone: the board was unplugged, or it was reset",
      "plug the board in again, and do the same again: what was written is found",
    );
  if (error instanceof ConsoleSilent)
    return new FlashFailure(
      step,
      "the board's console does not answer: it is locked, hangs, or is on another port (USB of the chip itself, or UART)",
      "press RESET and run it again; a board whose bundle locks the console needs --image with --erase",
    );
  // Of the settings not even the device's own words are repeated.
  const words =
    error instanceof DeviceError || error instanceof NotWritten ? error.message : undefined;
  if (words !== undefined && step !== "settings")
    return new FlashFailure(
      step,
      `the board refused it (${words})`,
      "run it again; if it stays so, with --image and --erase",
    );
  if (words !== undefined)
    return new FlashFailure(
      step,
      "the board did not take the settings",
      "run it again; if it stays so, with --image and --erase",
    );
  return new FlashFailure(
    step,
    error instanceof Error ? error.message : String(error),
    "coseflow doctor",
  );
}
