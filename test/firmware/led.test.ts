import { describe, expect, it } from "vitest";
import { createLed } from "../../firmware/led.ts";
import {
  CONNECTED,
  createLife,
  type Life,
  READY,
  RECEIPTED,
  STARTED,
  UNSAFE,
} from "../../firmware/life.ts";
import { createManualClock } from "../support/manual-clock.ts";

const WAYS: { [state: string]: number[] } = {
  boot: [],
  identity: [STARTED],
  network: [STARTED, READY],
  opening: [STARTED, READY, CONNECTED],
  streaming: [STARTED, READY, CONNECTED, RECEIPTED],
  safe: [UNSAFE],
  /** From network on. */
  connected: [CONNECTED],
};

/** Milliseconds of light and of darkness in turn, as they are seen from outside. */
function watch(seconds: number, act: (life: Life, at: number) => void) {
  const clock = createManualClock();
  const life = createLife(() => undefined);
  const edges: { at: number; on: boolean }[] = [];
  const step = createLed(life, (on) => {
    if (edges.at(-1)?.on !== on) edges.push({ at: clock.uptime(), on });
  });
  function round(): void {
    act(life, clock.uptime());
    clock.setTimeout(round, step());
  }
  round();
  clock.advance(seconds);
  const lengths = edges
    .slice(1)
    .map(({ at }, index) => Math.round((at - (edges[index]?.at ?? 0)) * 1000));
  return { lengths, edges };
}

/** Moves there at the first step. */
function goTo(state: string) {
  let isThere = false;
  return (life: Life) => {
    if (isThere) return;
    isThere = true;
    for (const event of WAYS[state] as number[]) life.move(event);
  };
}

describe("the status LED", () => {
  it.each([
    ["safe", 100, 100],
    ["network", 1000, 1000],
    ["opening", 100, 900],
    ["streaming", 30, 4970],
  ])("shows %s", (state, on, off) => {
    const { lengths } = watch(30, goTo(state));
    expect(lengths.length).toBeGreaterThanOrEqual(10);
    for (const [index, length] of lengths.entries()) expect(length).toBe(index % 2 ? off : on);
  });

  it.each(["boot", "identity"])("is lit during %s", (state) => {
    expect(watch(30, goTo(state)).edges).toEqual([{ at: 0, on: true }]);
  });

  it("follows a change within one turn of the pattern", () => {
    const start = goTo("network");
    const connect = goTo("connected");
    const { lengths } = watch(14, (life, at) => {
      start(life);
      if (at >= 9) connect(life);
    });
    expect(lengths.slice(0, 4)).toEqual([1000, 1000, 1000, 1000]);
    expect(lengths.slice(-4)).toEqual([100, 900, 100, 900]);
  });
});
