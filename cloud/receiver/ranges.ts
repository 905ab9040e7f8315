/** Sequence numbers as ranges: sorted, apart from each other by at least one number. */
export interface Range {
  first: number;
  last: number;
}

/** Adds a number to the ranges. Most numbers extend the last one, so the search starts there. */
export function addToRanges(ranges: Range[], sequence: number): void {
  let at = ranges.length - 1;
  while (at >= 0 && (ranges[at] as Range).first > sequence) at--;
  const before = ranges[at];
  const after = ranges[at + 1];
  if (before && sequence <= before.last) return;
  const joinsBefore = before !== undefined && before.last + 1 === sequence;
  const joinsAfter = after !== undefined && after.first - 1 === sequence;
  if (joinsBefore && joinsAfter) {
    before.last = after.last;
    ranges.splice(at + 1, 1);
  } else if (joinsBefore) before.last = sequence;
  else if (joinsAfter) after.first = sequence;
  else ranges.splice(at + 1, 0, { first: sequence, last: sequence });
}
