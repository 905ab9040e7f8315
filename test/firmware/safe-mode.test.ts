import { describe, expect, it } from "vitest";
import type { BootGuard } from "../../firmware/boot-guard.ts";
import { runSafeMode } from "../../firmware/safe-mode.ts";
import { createServiceBench } from "../support/service-bench.ts";

/** With what was done, and when. */
function start(pauseSeconds: number, grow = true) {
  const { clock, lines, service } = createServiceBench();
  const events: unknown[] = [];
  const reboot = () => events.push(["reboot", clock.uptime()]);
  const guard: BootGuard = {
    ...service.guard,
    pauseSeconds,
    safeLasted: (grows) => events.push(["safeLasted", grows, clock.uptime()]),
    restarting: (reason) => events.push(["restarting", reason]),
  };
  const system = { ...service.system, interpreter: { ...service.system.interpreter, reboot } };
  runSafeMode({ ...service, guard, system }, "reason", grow);
  return { clock, events, lines };
}

describe("safe mode", () => {
  it("says why once a minute, and restarts after the pause", () => {
    const { clock, events, lines } = start(150);
    clock.advance(149);
    expect(lines).toEqual([
      "safe mode (reason): restart in 3 min",
      "safe mode (reason): restart in 2 min",
      "safe mode (reason): restart in 1 min",
    ]);
    expect(events).toEqual([["safeLasted", true, 60]]);
    clock.advance(1);
    expect(events.slice(1)).toEqual([
      ["restarting", 3],
      ["reboot", 150],
    ]);
    expect(clock.pending()).toBe(0);
  });

  it("counts as lasted once, not before its minute is over", () => {
    const { clock, events } = start(86400, false);
    clock.advance(59);
    expect(events).toEqual([]);
    clock.advance(86000);
    expect(events).toEqual([["safeLasted", false, 60]]);
  });
});
