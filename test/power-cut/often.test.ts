/** The power goes again and again, at every point of a boot in turn, before the device gets far. */
import { afterAll, it } from "vitest";
import { openBase } from "../support/world/world.ts";
import { createTally, isNightly, isOver, NIGHTLY_MS, report, spread, take } from "./lives.ts";

const CUTS = 40;
/** As many points as a boot has until it streams; each comes after each in some life. */
const LAST_POINT = 83;
const DAILY_LIVES = 10;
const NIGHTLY_CUTS = 100_000;

const base = openBase();
afterAll(() => base.close());

it("cut 40 times, loses nothing that was receipted and stores nothing twice", {
  timeout: NIGHTLY_MS,
}, async () => {
  const tally = createTally();
  let seed = 0;
  do {
    const [points = 0] = (await take(base.crypto, tally, seed, [])).points;
    for (const first of spread(points, isNightly ? Infinity : DAILY_LIVES)) {
      // Another step in each life, through all points since their number is a prime.
      const step = 1 + (tally.lives % (LAST_POINT - 1));
      const plan = Array.from({ length: CUTS }, (_, at) =>
        at === 0 ? first : 1 + ((first + at * step) % LAST_POINT),
      );
      // A boot that only waits for receipts has fewer points: what was planned later does not come.
      if (!isOver(tally) && (!isNightly || tally.cuts < NIGHTLY_CUTS))
        await take(base.crypto, tally, seed, plan, 1);
    }
    seed++;
  } while (isNightly && tally.cuts < NIGHTLY_CUTS && !isOver(tally));
  report(tally);
});
