import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addToRanges, type Range } from "../../../cloud/receiver/ranges.ts";

function rangesOf(sequences: number[]): Range[] {
  const ranges: Range[] = [];
  for (const sequence of sequences) addToRanges(ranges, sequence);
  return ranges;
}

describe("addToRanges", () => {
  it("extends, joins and inserts", () => {
    expect(rangesOf([1, 2, 3])).toEqual([{ first: 1, last: 3 }]);
    expect(rangesOf([1, 3, 2])).toEqual([{ first: 1, last: 3 }]);
    expect(rangesOf([5, 1, 3, 3])).toEqual([
      { first: 1, last: 1 },
      { first: 3, last: 3 },
      { first: 5, last: 5 },
    ]);
    expect(rangesOf([2, 1])).toEqual([{ first: 1, last: 2 }]);
  });

  it("lists exactly the numbers that were added, in order and never adjoining", () => {
    const numbers = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });
    fc.assert(
      fc.property(numbers, (sequences) => {
        const ranges = rangesOf(sequences);
        const listed = ranges.flatMap(({ first, last }) =>
          Array.from({ length: last - first + 1 }, (_, at) => first + at),
        );
        expect(listed).toEqual([...new Set(sequences)].sort((a, b) => a - b));
        for (let at = 1; at < ranges.length; at++)
          expect(ranges[at]?.first).toBeGreaterThan((ranges[at - 1]?.last ?? 0) + 1);
      }),
    );
  });
});
