import { describe, expect, it } from "vitest";
import {
  judgeSizes,
  LIMIT_BYTES,
  measureBundles,
  type SizeRecord,
} from "../../../scripts/build/size.mjs";

function record(bytes: number, protocol = 10): SizeRecord {
  return {
    measure: "how",
    limit: LIMIT_BYTES,
    bundles: { linux: { bytes, parts: { protocol } } },
  };
}

describe("the record of sizes", () => {
  it("is accepted when it is what was built, up to the limit", () => {
    expect(judgeSizes(record(LIMIT_BYTES), record(LIMIT_BYTES))).toEqual([]);
  });

  it("is refused above the limit even when recorded", () => {
    const faults = judgeSizes(record(LIMIT_BYTES + 1), record(LIMIT_BYTES + 1));
    expect(faults).toEqual(["bundle linux: expected at most 32768 bytes, got 32769"]);
  });

  it("names what changed and the command that records it", () => {
    const [fault] = judgeSizes(record(5000, 10), record(5001, 12));
    expect(fault).toContain("linux bytes, recorded 5000, got 5001");
    expect(fault).toContain("linux protocol, recorded 10, got 12");
    expect(fault).toContain("npm run size");
  });

  it.each([
    ["is missing", undefined],
    ["knows no such board", { ...record(1), bundles: {} }],
    [
      "knows a board too many",
      { ...record(1), bundles: { ...record(1).bundles, old: { bytes: 1, parts: {} } } },
    ],
    ["has another limit", { ...record(1), limit: 1 }],
  ])("is refused when it %s", (_what, recorded) => {
    expect(judgeSizes(recorded, record(1))).toHaveLength(1);
  });

  it("needs a build to compare with", () => {
    expect(() => measureBundles("/nowhere")).toThrow(/nowhere/);
  });
});
