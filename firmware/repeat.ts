/** When to send again what the broker has and the cloud has not confirmed. */
import type { Clock, Random } from "./ports.ts";

/** Without a receipt for this long, what the broker took is sent again; doubled up to the longest. */
export const RECEIPT_SECONDS = 60;
const LONGEST_RECEIPT_SECONDS = 3600;
/** After this many such repeats one new session is tried, and then a repeat a day. */
export const REPEATS_BEFORE_REKEY = 8;
const DAY_SECONDS = 86400;

export interface RepeatOptions {
  clock: Clock;
  random: Random;
  /** Seconds before the first repeat. */
  firstWait: number;
  /** Uptime since which something waits for its receipt; Infinity when nothing does. */
  waitingSince: () => number;
  /** `repeats` is how many there were since the last receipt, this one included. */
  onRepeat: (repeats: number) => void;
}

export function createRepeat(options: RepeatOptions) {
  const clock = options.clock;
  let repeats = 0;
  let timer = 0;

  function repeat(): void {
    timer = 0;
    repeats++;
    options.onRepeat(repeats);
  }

  return {
    /** Waits for the receipt of what was taken first: others that come do not put it off. */
    arm(): void {
      if (timer !== 0) return;
      const since = options.waitingSince();
      if (since === Infinity) return;
      const wait =
        repeats <= REPEATS_BEFORE_REKEY
          ? Math.min(options.firstWait * Math.pow(2, repeats), LONGEST_RECEIPT_SECONDS)
          : DAY_SECONDS;
      // A quarter either way, from the C module: all boards' own dice fall alike.
      const jitter = 0.75 + options.random(1).charCodeAt(0) / 512;
      timer = clock.setTimeout(repeat, Math.max(0, since + wait * jitter - clock.uptime()) * 1000);
    },

    /** A receipt has settled something. */
    settled(): void {
      repeats = 0;
      clock.clearTimeout(timer);
      timer = 0;
    },
  };
}
