import { describe, expect, it } from "vitest";
import { startLed } from "../../firmware/led.ts";
import { createServiceBench } from "../support/service-bench.ts";

/** Milliseconds of light and of darkness in turn, as they are seen from outside. */
function watch(states: (at: number) => string, seconds: number) {
  const { clock, service } = createServiceBench();
  const edges: { at: number; on: boolean }[] = [];
  const light = (on: boolean) => {
    if (edges.at(-1)?.on !== on) edges.push({ at: clock.uptime(), on });
  };
  const device = { ...createServiceBench().device, state: () => states(clock.uptime()) };
  startLed({ ...service, device }, light);
  clock.advance(seconds);
  const lengths = edges
    .slice(1)
    .map(({ at }, index) => Math.round((at - (edges[index]?.at ?? 0)) * 1000));
  return { lengths, edges, pending: clock.pending() };
}

describe("the status LED", () => {
  it.each([
    ["safe", 100, 100],
    ["network", 1000, 1000],
    ["opening", 100, 900],
    ["streaming", 30, 4970],
  ])("shows %s by one timer", (state, on, off) => {
    const { lengths, pending } = watch(() => state, 30);
    expect(lengths.length).toBeGreaterThanOrEqual(10);
    for (const [index, length] of lengths.entries()) expect(length).toBe(index % 2 ? off : on);
    expect(pending).toBe(1);
  });

  it.each(["boot", "identity"])("is lit during %s", (state) => {
    expect(watch(() => state, 30).edges).toEqual([{ at: 0, on: true }]);
  });

  it("follows a change within one turn of the pattern", () => {
    const { lengths } = watch((at) => (at < 10 ? "network" : "safe"), 12);
    expect(lengths.slice(-5)).toEqual([100, 100, 100, 100, 100]);
  });
});
