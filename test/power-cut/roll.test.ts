/**
 * The power is cut at every write and every packet of a key roll, and at pairs of them. Whatever
 * happens, the device ends with one key, the one that the cloud knows; nothing that was receipted is
 * lost, no name comes back, and no key meets a nonce twice.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeWorldAuthority, type WorldAuthority } from "../support/world/authority.ts";
import { FIRST_DAY } from "../support/world/memory-cloud.ts";
import { openBase, SURE, type World } from "../support/world/world.ts";
import { NIGHTLY_MS } from "./lives.ts";
import { choose, liveAll, losing, sentAs } from "./plans.ts";
import { type RollOptions, rollLife } from "./roll-life.ts";

/** Of points, and of pairs of them, a daily run takes so many. */
const DAILY_POINTS = 60;
const DAILY_PAIRS = 20;
/** After this a week is over, for the cloud. */
const WEEK_AT_MS = 120_000;
const DAY_SECONDS = 86_400;
const NEVER = Number.POSITIVE_INFINITY;

const base = openBase();
let authority: WorldAuthority;
beforeAll(async () => {
  authority = await makeWorldAuthority(FIRST_DAY);
});
afterAll(() => base.close());

const live = (options: Partial<RollOptions> = {}) =>
  rollLife(base.crypto, { authority, ...options });

/** From the command's issue on, and all of the boot that follows the change. */
async function points(options: Partial<RollOptions>): Promise<[number[], number[]]> {
  const { issuedAt, points } = await live(options);
  const [first = 0, second = 0] = points;
  const range = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index);
  return [range(issuedAt + 1, first), range(1, second)];
}

it.each([
  ["enrolled", false],
  ["registered by hand", true],
])("of a device that was %s changes the key and loses nothing", async (_how, byHand) => {
  const { violations, world } = await live({ byHand });
  expect(violations).toEqual([]);
  expect(world.restarts()).toBe(1);
});

it("cut at every point, ends with the one key that the cloud knows", {
  timeout: NIGHTLY_MS,
}, async () => {
  const [first, second] = await points({});
  const all = [...first.map((at) => [at]), ...second.map((at) => [NEVER, at])];
  const plans = choose(all, DAILY_POINTS);
  const cuts = await liveAll(plans, (plan) => live({ plan }));
  expect(cuts).toBe(plans.length);
});

it("cut again in the boot that recovers, does so too", { timeout: NIGHTLY_MS }, async () => {
  const [first, second] = await points({ byHand: true });
  const all = first.flatMap((at) => second.map((again) => [at, again]));
  const plans = choose(all, DAILY_PAIRS);
  const cuts = await liveAll(plans, (plan) => live({ plan, byHand: true }));
  expect(cuts).toBeGreaterThan(plans.length);
});

it("whose answers are lost at first asks again with the same bytes", async () => {
  const begin = losing("enrolled", 3);
  const { violations, world } = await live({ byHand: true, begin });
  expect(violations).toEqual([]);
  const replies = sentAs(world, "reply");
  expect(replies.length).toBeGreaterThan(3);
  expect(new Set(replies).size).toBe(1);
});

it("waits for the readings of a sensor that never rests, and takes it slower meanwhile", async () => {
  const sensors = [{ driver: SURE, periodSeconds: 0.02, qos: 1 as const }];
  const { violations, world } = await live({ board: { sensors } });
  expect(violations).toEqual([]);
  expect(world.restarts()).toBe(1);
});

/** It sleeps between its readings, and hears of the roll at a wake. */
const SLEEPER = {
  board: {
    sensors: [{ driver: SURE, periodSeconds: 300, qos: 1 as const }],
    sleep: { seconds: 300 },
  },
  calmMs: 700_000,
};

it("of a board that sleeps between its readings does too, cut at any point of its wakes", {
  timeout: NIGHTLY_MS,
}, async () => {
  const { violations, world } = await live(SLEEPER);
  expect(violations).toEqual([]);
  // The first boot sleeps before the command is sent, and the next ends with the new key.
  const [, hears = 0, changed = 0] = world.points();
  const at = (boot: number, count: number) =>
    Array.from({ length: count }, (_, index) => [...Array(boot).fill(NEVER), index + 1]);
  const plans = choose([...at(1, hears), ...at(2, changed)], DAILY_PAIRS);
  expect(await liveAll(plans, (plan) => live({ ...SLEEPER, plan }))).toBe(plans.length);
});

it("that the cloud refuses is given up after a week, and leaves the old key in use", async () => {
  const { registrar: _, ...without } = authority;
  // The cloud's word for the time is all that the device knows of it.
  const begin = ({ scheduler, cloud }: World) =>
    scheduler.at(WEEK_AT_MS, () => cloud.setClockError(8 * DAY_SECONDS));
  const mayRefuse = ["device-unknown", "no-registrar"];
  const options = { byHand: true, succeeds: false, begin, mayRefuse };
  const { violations, world } = await live({ ...options, authority: without });
  expect(violations).toEqual([]);
  expect(world.restarts()).toBe(1);
  expect(world.log.filter((line) => line.includes("without a certificate"))).toHaveLength(1);
});
