import { afterEach, expect, it, vi } from "vitest";
import { createClock } from "../../../firmware/espruino/clock.ts";
import { WATCHDOG_SECONDS } from "../../../firmware/service.ts";

const YEARS = 30 * 365.25 * 86_400;

afterEach(() => {
  vi.unstubAllGlobals();
});

it("counts the seconds since boot, whatever the system's clock says", () => {
  let now = 1_800_000_000;
  vi.stubGlobal("getTime", () => now);
  const clock = createClock();
  expect(clock.uptime()).toBe(0);
  now += 12.5;
  expect(clock.uptime()).toBe(12.5);
});

it.each([YEARS, -YEARS])("goes on where it was when the system's clock is set %d s on", (step) => {
  let now = 1_800_000_000;
  vi.stubGlobal("getTime", () => now);
  const clock = createClock();
  now += 60;
  clock.uptime();
  now += step;
  expect(clock.uptime()).toBe(60);
  now += 10;
  expect(clock.uptime()).toBe(70);
  now -= step;
  expect(clock.uptime()).toBe(70);
  now += 10;
  expect(clock.uptime()).toBe(80);
});

it("counts the time of a call that hangs until just before the watchdog", () => {
  let now = 0;
  vi.stubGlobal("getTime", () => now);
  const clock = createClock();
  now += WATCHDOG_SECONDS;
  expect(clock.uptime()).toBe(WATCHDOG_SECONDS);
});
