import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  ASKING,
  BOOT,
  CONNECTED,
  createLife,
  DELETED,
  DISCONNECTED,
  ENROLLING,
  EVENTS,
  eventName,
  findMove,
  IDENTITY,
  NETWORK,
  OPENED,
  OPENING,
  READY,
  RECEIPTED,
  SAFE,
  SLEEPING,
  SLEPT,
  STARTED,
  STATES,
  STREAMING,
  stateName,
  UNSAFE,
  UNSET,
} from "../../firmware/life.ts";
import { codeOf } from "../cloud/crypto/support.ts";

/** Events that lead from boot to each state. */
const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);
const STATE_NAMES = numbers(STATES).map(stateName);
const EVENT_NAMES = numbers(EVENTS).map(eventName);
/** Rows are states, columns events; -1 for no move. */
const MOVES = numbers(STATES).map((state) =>
  numbers(EVENTS).map((event) => findMove(state, event) ?? -1),
);

const WAYS = [
  [],
  [STARTED],
  [STARTED, READY],
  [STARTED, READY, ASKING],
  [STARTED, READY, CONNECTED],
  [STARTED, READY, CONNECTED, RECEIPTED],
  [UNSAFE],
  [STARTED, READY, DELETED],
  [STARTED, READY, SLEPT],
  [UNSET],
];

function liveTo(state: number) {
  const seen: number[] = [];
  const life = createLife((line) => seen.push(STATE_NAMES.indexOf(line.replace(/^state: /, ""))));
  for (const event of WAYS[state] as number[]) life.move(event);
  expect(life.state()).toBe(state);
  seen.length = 0;
  return { life, seen };
}

describe("the life of the device", () => {
  const pairs = MOVES.flatMap((row, state) => row.map((next, event) => ({ state, event, next })));

  it.each(
    pairs.map((pair) => ({
      ...pair,
      name: `${STATE_NAMES[pair.state]} + ${EVENT_NAMES[pair.event]}`,
    })),
  )("$name", ({ state, event, next }) => {
    const { life, seen } = liveTo(state);
    if (next < 0) {
      expect(codeOf(() => life.move(event))).toBe("argument");
      expect([life.state(), seen]).toEqual([state, []]);
    } else {
      life.move(event);
      expect([life.state(), seen]).toEqual([next, next === state ? [] : [next]]);
    }
  });

  it("streams at once after a reconnect when the session has its receipt, and waits when not", () => {
    const { life } = liveTo(STREAMING);
    life.move(DISCONNECTED);
    life.move(CONNECTED);
    expect(life.state()).toBe(STREAMING);
    life.move(DISCONNECTED);
    life.move(OPENED);
    life.move(CONNECTED);
    expect(life.state()).toBe(OPENING);
  });

  it("takes a session opened before it is ready for what it is", () => {
    const { life } = liveTo(IDENTITY);
    life.move(OPENED);
    life.move(RECEIPTED);
    expect(life.state()).toBe(IDENTITY);
    life.move(READY);
    expect(life.state()).toBe(NETWORK);
    life.move(CONNECTED);
    expect(life.name()).toBe("streaming");
  });

  it("opens its first session late where a certificate was missing", () => {
    const { life } = liveTo(ENROLLING);
    life.move(DISCONNECTED);
    life.move(OPENED);
    life.move(CONNECTED);
    expect(life.name()).toBe("opening");
  });

  it("knows no way out of safe mode and of sleep, and stands in SPEC.md as it is", () => {
    for (const state of [SAFE, SLEEPING])
      expect((MOVES[state] as number[]).every((next) => next < 0)).toBe(true);
    expect(STATE_NAMES[BOOT]).toBe("boot");
    const spec = readFileSync(join(import.meta.dirname, "../../SPEC.md"), "utf8");
    const rows = MOVES.map((row, state) => {
      const cells = row.map((next) => (next < 0 ? "" : (STATE_NAMES[next] as string)));
      return `| **${STATE_NAMES[state]}** | ${cells.join(" | ")} |`.replace(/ {2}/g, " ");
    });
    const table = [`| state | ${EVENT_NAMES.join(" | ")} |`, ...rows];
    for (const row of table) expect(spec).toContain(row);
  });
});
