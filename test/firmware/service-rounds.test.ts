/** What the service does again and again, by the hour: watchdog, boot guard, health record. */

import { expect, it } from "vitest";
import { RESET_MEMORY } from "../../firmware/boot-guard.ts";
import * as cold from "../../firmware/cold.ts";
import type { Board } from "../../firmware/config.ts";
import type { Losses } from "../../firmware/losses.ts";
import { startService, WATCHDOG_SECONDS } from "../../firmware/service.ts";
import type { ServiceState } from "../../firmware/service-state.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { parseSenml } from "../../protocol/senml.ts";
import { createServiceBench } from "../support/service-bench.ts";

/** Seconds: the least time a boot must have lasted, and between two rounds. */
const STABLE = 60;
const ROUND = 20;
const HOUR = 3600;

interface StartOptions {
  periodHours?: number;
  isEsp32?: boolean;
  isDead?: boolean;
  sleeps?: boolean;
  isShort?: boolean;
}

function start(options: StartOptions = {}) {
  const bench = createServiceBench();
  const { clock, events, service, device } = bench;
  const kicks: number[] = [];
  const system = {
    ...service.system,
    esp32: options.isEsp32 === false ? undefined : service.system.esp32,
    interpreter: {
      ...service.system.interpreter,
      kickWatchdog: () => kicks.push(clock.uptime()),
    },
  };
  const shown: ServiceState[] = [];
  const uncaught: ((error: unknown) => void)[] = [];
  system.process = { ...system.process, on: (_event, listener) => uncaught.push(listener) };
  const dead = () => {
    throw new Error("out of memory");
  };
  const { periodHours } = options;
  let isMade = false;
  startService(
    {
      cold() {
        if (options.isShort && isMade) return dead();
        isMade = true;
        return cold;
      },
      setup: undefined,
      version: "",
      crypto: service.crypto,
      clock: options.isDead ? { ...clock, setTimeout: dead } : clock,
      log: service.log,
      system,
      createLed: undefined,
      startButton: undefined,
      startSleeper: options.sleeps ? () => {} : undefined,
      exposeCommands(state) {
        shown.push(state);
      },
    },
    (periodHours ? { health: { periodHours } } : {}) as Board,
    () => device,
  );
  const boots = () => bench.records.get("boot")?.charCodeAt(1);
  return { ...bench, kicks, events, uncaught, boots, state: shown[0] as ServiceState };
}

it("the watchdog has longer than a blocked connect takes, and is fed well before that", () => {
  const { clock, events, kicks } = start();
  clock.advance(HOUR);
  expect(events).toEqual([`watchdog ${WATCHDOG_SECONDS} false`]);
  expect(WATCHDOG_SECONDS).toBeGreaterThanOrEqual(90);
  const gaps = kicks.slice(1).map((at, index) => at - (kicks[index] as number));
  expect(gaps.length).toBeGreaterThan(10);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(WATCHDOG_SECONDS / 4);
});

it("a board that sleeps sends no health record, is fed and counts as one that has lasted", () => {
  const { clock, packs, kicks, boots } = start({ sleeps: true });
  clock.advance(HOUR);
  expect([packs.length, boots()]).toEqual([0, 0]);
  expect(kicks.length).toBeGreaterThan(10);
  const awake = start();
  awake.clock.advance(HOUR);
  expect(awake.packs).toHaveLength(1);
});

it("the watchdog is not fed by a device that can set no timer, and there is none on Linux", () => {
  expect(() => start({ isDead: true })).toThrow("out of memory");
  const { clock, events, kicks } = start({ isEsp32: false });
  clock.advance(HOUR);
  expect([events, kicks]).toEqual([[], []]);
});

it("a boot has lasted after a minute, and not before", () => {
  const { clock, boots } = start();
  clock.advance(STABLE - 0.1);
  expect(boots()).toBe(1);
  clock.advance(0.1);
  expect(boots()).toBe(0);
});

it("health records go out when the boot has lasted and then every period", () => {
  const { clock, packs } = start({ periodHours: 2 });
  clock.advance(STABLE - 0.1);
  expect(packs.length).toBe(0);
  clock.advance(0.1);
  expect(packs.length).toBe(1);
  clock.advance(4 * HOUR + ROUND);
  expect(packs.length).toBe(3);
  const records = parseSenml(packs[2] as Bytes);
  const uptime = records.find(({ name }) => name === "boot-uptime")?.value;
  expect(uptime).toBeGreaterThanOrEqual(4 * HOUR + STABLE);
});

it("health records go out once a day where the board file says nothing", () => {
  const { clock, packs } = start();
  clock.advance(24 * HOUR + STABLE - 0.1);
  expect(packs.length).toBe(1);
  clock.advance(ROUND);
  expect(packs.length).toBe(2);
});

it("the first health record waits for the first receipt, and leaves what waits room to go first", () => {
  const { clock, cloud, packs } = start();
  const unix = cloud.unix;
  cloud.unix = undefined;
  clock.advance(HOUR);
  expect(packs.length).toBe(0);
  cloud.unix = unix;
  clock.advance(10);
  expect(packs.length).toBe(0);
  clock.advance(2 * ROUND);
  expect(packs.length).toBe(1);
});

it("what nobody caught is counted, kept in short and logged with its place", () => {
  const bench = start();
  const error = new Error("x".repeat(500));
  for (const listener of bench.uncaught) {
    listener(error);
    listener("a text");
  }
  expect(bench.lines.filter((line) => line.startsWith("Uncaught: "))).toEqual([
    `Uncaught: ${error.message}`,
    "Uncaught: a text",
  ]);
  expect(bench.lines).toContain(error.stack);
  expect(bench.state).toMatchObject({ errors: 2, lastError: "Uncaught: a text (at 0 s)" });
  bench.state.report(error, "sensor");
  expect(bench.state.lastError.length).toBeLessThan(150);
});

it("restarts once memory ran out, and such boots in a row lead to safe mode however long they last", () => {
  const bench = start();
  bench.clock.advance(2 * STABLE);
  expect([bench.boots(), bench.events.includes("reboot")]).toEqual([0, false]);
  bench.flags.push("LOW_MEMORY", "CALLBACK", "BUFFER_FULL");
  bench.clock.advance(ROUND);
  expect(bench.events).not.toContain("reboot");
  bench.flags.push("CALLBACK", "MEMORY");
  bench.clock.advance(ROUND);
  expect(bench.events.at(-1)).toBe("reboot");
  expect(bench.lines).toContain("memory ran out: restarting");
  expect(bench.guard().reason).toBe(RESET_MEMORY);
  expect(bench.guard().count(false)).toBe(bench.state.boots + 1);
});

it("restarts without a note where memory is too short for one", () => {
  const { events, flags, clock, records, guard } = start({ isShort: true });
  flags.push("MEMORY");
  expect(() => clock.advance(ROUND)).toThrow("out of memory");
  expect([events.includes("reboot"), guard().reason]).toEqual([false, 0]);
  flags.push("MEMORY");
  expect(() => clock.advance(ROUND)).toThrow("out of memory");
  expect(events.at(-1)).toBe("reboot");
  expect(records.size).toBe(1);
});

it("counts no boot whose memory lasted for an hour", () => {
  const { clock, events, flags, guard } = start();
  clock.advance(HOUR);
  flags.push("MEMORY");
  clock.advance(ROUND);
  expect(events.at(-1)).toBe("reboot");
  expect(guard().count(false)).toBe(1);
});

it("keeps what is lost within a round, and then once an hour at most", () => {
  const { clock, device, records } = start();
  const losses = device.delivery?.losses as Losses;
  const written: number[] = [];
  let before: Bytes | undefined;
  clock.advance(STABLE + ROUND);
  expect(records.get("losses")).toBeUndefined();
  for (let second = 0; second < 3 * HOUR; second += 10) {
    losses.readings++;
    clock.advance(10);
    if (records.get("losses") !== before) written.push(clock.uptime());
    before = records.get("losses");
  }
  expect(written).toHaveLength(3);
  expect(written[0]).toBeLessThanOrEqual(STABLE + 2 * ROUND);
  const gaps = written.slice(1).map((at, index) => at - (written[index] as number));
  for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(HOUR);
});

it("keeps no losses while a boot has not lasted", () => {
  const { clock, device, records } = start();
  (device.delivery?.losses as Losses).readings = 100;
  clock.advance(STABLE - 1);
  expect(records.get("losses")).toBeUndefined();
  clock.advance(1 + ROUND);
  expect(records.get("losses")).toBeDefined();
});
