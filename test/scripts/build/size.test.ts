import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  judgeSizes,
  LIMIT_BYTES,
  LIMIT_VARIABLES,
  measureBundles,
  type SizeRecord,
  type VariablesRecord,
} from "../../../scripts/build/size.mjs";

function variables(streaming: number): VariablesRecord {
  const rare = { command: 1, enrolment: 1, keyRoll: 1, setup: 1 };
  const states = { booted: 1, streaming, offline: 1, bme280: 1, ...rare };
  return { measure: "how", states, costs: { sensors: {}, parts: {} } };
}

/** What a build measures: all but the variables, which need the interpreter. */
function built(bytes: number, protocol = 10): SizeRecord {
  const { variables: _, ...sizes } = record(bytes, protocol);
  return sizes;
}

function record(bytes: number, protocol = 10): SizeRecord {
  return {
    measure: "how",
    limit: LIMIT_BYTES,
    bundles: { linux: { bytes, parts: { protocol } } },
    variables: variables(LIMIT_VARIABLES),
  };
}

describe("the record of sizes", () => {
  it("is accepted when it is what was built, up to the limit", () => {
    expect(judgeSizes(record(LIMIT_BYTES), built(LIMIT_BYTES))).toEqual([]);
  });

  it("is refused above the limit even when recorded", () => {
    const faults = judgeSizes(record(LIMIT_BYTES + 1), built(LIMIT_BYTES + 1));
    expect(faults).toEqual(["bundle linux: expected at most 131072 bytes, got 131073"]);
  });

  it("names what changed and the command that records it", () => {
    const [fault] = judgeSizes(record(5000, 10), built(5001, 12));
    expect(fault).toContain("linux bytes, recorded 5000, got 5001");
    expect(fault).toContain("linux protocol, recorded 10, got 12");
    expect(fault).toContain("npm run size");
  });

  it.each([
    ["knows nothing", { ...record(1), bundles: {}, measure: "" }],
    ["knows no such board", { ...record(1), bundles: {} }],
    [
      "knows a board too many",
      { ...record(1), bundles: { ...record(1).bundles, old: { bytes: 1, parts: {} } } },
    ],
    ["has another limit", { ...record(1), limit: 1 }],
  ])("is refused when it %s", (_what, recorded) => {
    expect(judgeSizes(recorded, built(1))).toHaveLength(1);
  });

  it.each([
    ["more than the limit", variables(LIMIT_VARIABLES + 1)],
    ["none", undefined],
  ])("is refused with %s of the variables while streaming", (_what, found) => {
    const { variables: _, ...sizes } = record(1);
    const recorded = found === undefined ? sizes : { ...sizes, variables: found };
    expect(judgeSizes(recorded, built(1))).toEqual([
      expect.stringMatching(/^variables, expected at most 1900 while streaming/),
    ]);
  });

  it("holds what the bundle in Espruino takes", () => {
    const file = join(import.meta.dirname, "..", "..", "..", "size.json");
    const { states } = JSON.parse(readFileSync(file, "utf8")).variables as VariablesRecord;
    expect(states.streaming).toBeLessThanOrEqual(LIMIT_VARIABLES);
    expect(states.offline).toBeGreaterThan(states.streaming);
  });

  it("is refused when it is missing", () => {
    expect(judgeSizes(undefined, built(1))).toHaveLength(2);
  });

  it("needs a build to compare with", () => {
    expect(() => measureBundles("/nowhere")).toThrow(/nowhere/);
  });
});
