import { describe, expect, it } from "vitest";
import { createFailureBudget } from "../../../cloud/receiver/failure-budget.ts";
import type { Bytes } from "../../../protocol/bytes.ts";

const VICTIM = "victim__" as Bytes;
const OTHER = "other___" as Bytes;

describe("createFailureBudget", () => {
  it("is spent by 64 failures of one device and touches no other", () => {
    const budget = createFailureBudget(() => 1000);
    for (let i = 0; i < 64; i++) {
      expect(budget.allows(VICTIM)).toBe(true);
      budget.spend(VICTIM);
    }
    expect(budget.allows(VICTIM)).toBe(false);
    expect(budget.allows(OTHER)).toBe(true);
  });

  it("comes back with time, and not by a clock set back", () => {
    let now = 1000;
    const budget = createFailureBudget(() => now);
    for (let i = 0; i < 64; i++) budget.spend(VICTIM);
    now = 10;
    expect(budget.allows(VICTIM)).toBe(false);
    now = 1002;
    expect(budget.allows(VICTIM)).toBe(true);
    budget.spend(VICTIM);
    budget.spend(VICTIM);
    expect(budget.allows(VICTIM)).toBe(false);
  });
});
