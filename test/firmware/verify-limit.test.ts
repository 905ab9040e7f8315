import { expect, it } from "vitest";
import { createVerifyLimit } from "../../firmware/verify-limit.ts";
import { createManualClock } from "../support/manual-clock.ts";

it("lets three through at once, then one every ten seconds", () => {
  const clock = createManualClock();
  const mayVerify = createVerifyLimit(clock);
  const take = (count: number) => Array.from({ length: count }, mayVerify).filter(Boolean).length;
  expect(take(10)).toBe(3);
  clock.advance(9.9);
  expect(take(10)).toBe(0);
  clock.advance(0.2);
  expect(take(10)).toBe(1);
  clock.advance(1000);
  expect(take(10)).toBe(3);
});
