import { describe, expect, it } from "vitest";
import { startWatchdog, WATCHDOG_SECONDS } from "../../firmware/watchdog.ts";
import { createServiceBench } from "../support/service-bench.ts";

describe("the watchdog", () => {
  it("has longer than a blocked connect takes, and is fed well before that", () => {
    const { clock, events, service } = createServiceBench();
    const fed: number[] = [];
    startWatchdog(clock, {
      ...service.system.interpreter,
      kickWatchdog: () => fed.push(clock.uptime()),
    });
    clock.advance(3600);
    expect(events).toEqual([`watchdog ${WATCHDOG_SECONDS} false`]);
    expect(WATCHDOG_SECONDS).toBeGreaterThanOrEqual(90);
    const gaps = fed.slice(1).map((at, index) => at - (fed[index] as number));
    expect(gaps.length).toBeGreaterThan(10);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(WATCHDOG_SECONDS / 4);
  });

  it("is not fed by a device that can set no timer", () => {
    const { clock, events, service } = createServiceBench();
    const dead = {
      ...clock,
      setTimeout: () => {
        throw new Error("out of memory");
      },
    };
    expect(() => startWatchdog(dead, service.system.interpreter)).toThrow("out of memory");
    expect(events).toEqual([`watchdog ${WATCHDOG_SECONDS} false`]);
  });
});
