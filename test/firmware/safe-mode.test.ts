import { describe, expect, it } from "vitest";
import { RESET_PAUSE, SAFE_BOOTS } from "../../firmware/boot-guard.ts";
import { runSafeMode } from "../../firmware/safe-mode.ts";
import { bytes } from "../../protocol/bytes.ts";
import { createServiceBench } from "../support/service-bench.ts";

const MINUTE = 60;

/** Safe mode after so many doublings of its pause, on a record that says so. */
function start(level: number, grow = true) {
  const bench = createServiceBench();
  bench.service.boots = SAFE_BOOTS;
  bench.records.set("boot", bytes(`\x01\x05${String.fromCharCode(level)}\x00`));
  runSafeMode(bench.service, "reason", grow);
  /** Boots in a row that are counted now, and the pause that the next safe mode would take. */
  const left = () => [bench.records.get("boot")?.charCodeAt(1), bench.guard().pauseSeconds];
  return { ...bench, left };
}

describe("safe mode", () => {
  it("says why once a minute, and restarts after the pause", () => {
    const { clock, events, guard, lines } = start(0);
    clock.advance(10 * MINUTE - 1);
    expect(lines).toEqual(
      Array.from(
        { length: 10 },
        (_, minute) => `safe mode (reason): restart in ${10 - minute} min`,
      ),
    );
    expect(events).toEqual([]);
    clock.advance(1);
    expect(lines.at(-1)).toBe("safe mode ends: restarting");
    expect(events).toEqual(["reboot"]);
    expect(guard().reason).toBe(RESET_PAUSE);
    expect(clock.pending()).toBe(0);
  });

  it("leaves one try that may fail once its minute is over, and doubles the pause once", () => {
    const { clock, left } = start(1);
    clock.advance(MINUTE - 1);
    expect(left()).toEqual([SAFE_BOOTS, 1200]);
    clock.advance(1);
    expect(left()).toEqual([SAFE_BOOTS - 2, 2400]);
    clock.advance(10 * MINUTE);
    expect(left()).toEqual([SAFE_BOOTS - 2, 2400]);
  });

  it("does not double it where it was asked for", () => {
    const { clock, left } = start(1, false);
    clock.advance(10 * MINUTE);
    expect(left()).toEqual([SAFE_BOOTS - 2, 1200]);
  });
});
