import { type Console, openConsole } from "./console.ts";
import { type Port, pause } from "./port.ts";

/** A board's console that is opened again where the port was gone for a while. */
export interface Link {
  console(): Promise<Console>;
  close(): Promise<void>;
}

/** A board with USB of its own is gone for a while after a reset. */
const RETURN_MS = 10_000;
const RETURN_LOOK_MS = 250;

/** `wasReset`: the board was there a moment ago, so the first opening waits for it too. */
export function openLink(port: Port, answerMs: number | undefined, wasReset: boolean): Link {
  let console: Console | undefined;

  async function reopen(): Promise<Console> {
    const until = Date.now() + RETURN_MS;
    for (;;) {
      try {
        return await openConsole(port, answerMs === undefined ? {} : { answerMs });
      } catch (error) {
        if (Date.now() >= until || (console === undefined && !wasReset)) throw error;
        await pause(RETURN_LOOK_MS);
      }
    }
  }

  return {
    async console() {
      if (console?.isLost) {
        await console.close();
        console = await reopen();
      }
      console ??= await reopen();
      return console;
    },
    close: async () => console?.close(),
  };
}
