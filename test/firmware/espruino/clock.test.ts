import { afterEach, expect, it, vi } from "vitest";
import { createClock } from "../../../firmware/espruino/clock.ts";

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

it("goes on where it was when the system's clock is set back 30 years", () => {
  let now = 1_800_000_000;
  vi.stubGlobal("getTime", () => now);
  const clock = createClock();
  now += 60;
  clock.uptime();
  now -= YEARS;
  expect(clock.uptime()).toBe(60);
  now += 10;
  expect(clock.uptime()).toBe(70);
  // Forward it cannot be told from waiting; back again it takes nothing away.
  now += YEARS;
  expect(clock.uptime()).toBe(YEARS + 70);
  now -= YEARS;
  expect(clock.uptime()).toBe(YEARS + 70);
});
