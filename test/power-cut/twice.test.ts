/** The power is cut, and once more at a point of the boot that recovers from it. */
import { afterAll, it } from "vitest";
import { openBase } from "../support/world/world.ts";
import { createTally, isNightly, isOver, NIGHTLY_MS, report, spread, take } from "./lives.ts";

/** First cuts of a seed, and second cuts after each. There are half a million pairs to a seed. */
const FIRSTS = isNightly ? 60 : 8;
const SECONDS = isNightly ? 40 : 8;
const NIGHTLY_CUTS = 16_000;
/** Multiples of it, modulo 1, fill the range from 0 to 1 evenly. */
const GOLDEN = 0.618034;

const base = openBase();
afterAll(() => base.close());

it("cut again while it recovers, loses nothing that was receipted and stores nothing twice", {
  timeout: NIGHTLY_MS,
}, async () => {
  const tally = createTally();
  let seed = 0;
  let shift = 0;
  do {
    const [points = 0] = (await take(base.crypto, tally, seed, [])).points;
    for (const first of spread(points, FIRSTS, shift)) {
      shift = (shift + GOLDEN) % 1;
      const [, after = 0] = (await take(base.crypto, tally, seed, [first])).points;
      for (const second of spread(after, SECONDS, shift))
        if (!isOver(tally)) await take(base.crypto, tally, seed, [first, second]);
    }
    seed++;
  } while (isNightly && tally.cuts < NIGHTLY_CUTS && !isOver(tally));
  report(tally);
});
