import { describe, expect, it } from "vitest";
import { RESET_SAFE } from "../../firmware/boot-guard.ts";
import { startButton } from "../../firmware/button.ts";
import { UNSAFE } from "../../firmware/life.ts";
import { createServiceBench } from "../support/service-bench.ts";

function createBench(options: { held?: boolean; isSafe?: boolean } = {}) {
  const { clock, events, guard, service } = createServiceBench();
  const answers: boolean[] = [];
  let pressed = options.held ?? false;
  let changed: () => void = () => undefined;
  let debounce = 0;
  const button = {
    isPressed: () => pressed,
    watch(debounceMs: number, callback: () => void) {
      debounce = debounceMs;
      changed = callback;
    },
  };
  if (options.isSafe) service.life.move(UNSAFE);
  startButton(service, button, (held) => answers.push(held));
  return {
    clock,
    events,
    guard,
    answers,
    debounce,
    /** The contact moves; a missed edge calls nobody. */
    move(to: boolean, isMissed = false) {
      pressed = to;
      if (!isMissed) changed();
    },
  };
}

const FACTORY_RESET = ["eraseAll", "erase coseflow.json", "reboot"];

describe("the button while the device runs", () => {
  it("resets to factory state after ten seconds, once", () => {
    const bench = createBench();
    expect(bench.debounce).toBeGreaterThanOrEqual(20);
    bench.clock.advance(100);
    bench.move(true);
    bench.clock.advance(9.9);
    expect(bench.events).toEqual([]);
    bench.clock.advance(60);
    expect(bench.events).toEqual(FACTORY_RESET);
  });

  it("does nothing when it is let go of before, or pressed often", () => {
    const bench = createBench();
    bench.clock.advance(100);
    for (let count = 0; count < 5; count++) {
      bench.move(true);
      bench.clock.advance(9);
      bench.move(false);
    }
    bench.clock.advance(60);
    expect(bench.events).toEqual([]);
  });

  it("is asked again at the end: a release whose edge was missed counts", () => {
    const bench = createBench();
    bench.clock.advance(100);
    bench.move(true);
    bench.clock.advance(5);
    bench.move(false, true);
    bench.clock.advance(60);
    expect(bench.events).toEqual([]);
  });

  it("does not start again with an edge that changes nothing", () => {
    const bench = createBench();
    bench.clock.advance(100);
    bench.move(true);
    bench.clock.advance(6);
    bench.move(true);
    bench.clock.advance(4);
    expect(bench.events).toEqual(FACTORY_RESET);
  });

  it("leads to safe mode when pressed right after the start", () => {
    const bench = createBench();
    bench.clock.advance(1);
    bench.move(true);
    bench.clock.advance(1.9);
    expect(bench.events).toEqual([]);
    bench.clock.advance(60);
    expect(bench.events).toEqual(["reboot"]);
    expect(bench.guard().reason).toBe(RESET_SAFE);
  });

  it("takes an early press in safe mode like any other", () => {
    const bench = createBench({ isSafe: true });
    bench.clock.advance(1);
    bench.move(true);
    bench.clock.advance(9.9);
    expect(bench.events).toEqual([]);
    bench.clock.advance(60);
    expect(bench.events).toEqual(FACTORY_RESET);
  });

  it("held since before the start counts only after it was let go of", () => {
    const bench = createBench({ held: true });
    bench.clock.advance(60);
    bench.move(false);
    bench.clock.advance(1);
    bench.move(true);
    bench.clock.advance(10);
    expect(bench.events).toEqual(FACTORY_RESET);
  });
});

describe("the button at boot", () => {
  it.each([
    [true, true, true],
    [true, false, false],
  ])("is held when it still is after the contact has settled", (atFirst, later, expected) => {
    const { clock, answers, move } = createBench({ held: atFirst });
    expect(answers).toEqual([]);
    move(later, true);
    clock.advance(0.05);
    expect(answers).toEqual([expected]);
  });

  it("costs no time when it is not held", () => {
    expect(createBench().answers).toEqual([false]);
  });
});
