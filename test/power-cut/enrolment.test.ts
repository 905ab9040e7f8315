/**
 * The power is cut at every write and every packet of an enrolment, and at pairs of them.
 * Whatever happens, the device has one key, is enrolled once under its own names, the claim is
 * spent once, and its readings arrive.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeWorldAuthority, type WorldAuthority } from "../support/world/authority.ts";
import { FIRST_DAY } from "../support/world/memory-cloud.ts";
import { openBase } from "../support/world/world.ts";
import { type EnrolOptions, enrolLife } from "./enrol-life.ts";
import { NIGHTLY_MS } from "./lives.ts";
import { choose, liveAll, losing, sentAs } from "./plans.ts";

/** Of points, and of pairs of them, a daily run takes so many. */
const DAILY_POINTS = 40;
const DAILY_PAIRS = 20;

const base = openBase();
let authority: WorldAuthority;
beforeAll(async () => {
  authority = await makeWorldAuthority(FIRST_DAY);
});
afterAll(() => base.close());

const live = (options: Partial<EnrolOptions> = {}) =>
  enrolLife(base.crypto, { authority, ...options });

const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

it("enrols, and its readings arrive", async () => {
  const { violations } = await live();
  expect(violations).toEqual([]);
});

it("cut at every point, enrols once", { timeout: NIGHTLY_MS }, async () => {
  const { points } = await live();
  expect(points).toBeGreaterThan(20);
  const all = range(points).map((at) => [at]);
  const plans = choose(all, DAILY_POINTS);
  const cuts = await liveAll(plans, (plan) => live({ plan }));
  expect(cuts).toBe(plans.length);
});

it("cut at pairs of points, enrols once", { timeout: NIGHTLY_MS }, async () => {
  const { points } = await live();
  const all = range(points).flatMap((first) => range(points).map((second) => [first, second]));
  const plans = choose(all, DAILY_PAIRS);
  const cuts = await liveAll(plans, (plan) => live({ plan }));
  // The second is beyond the end where the first came late.
  expect(cuts).toBeGreaterThan(plans.length);
});

it("asks again with the same bytes until the answer comes", async () => {
  const { violations, world } = await live({ begin: losing("enrolled", 3) });
  expect(violations).toEqual([]);
  const asked = sentAs(world, "enrol");
  expect(asked.length).toBeGreaterThan(3);
  expect(new Set(asked).size).toBe(1);
});
