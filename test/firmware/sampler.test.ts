/** Samplers and change events over a delivery that notes what it is given. */

import { describe, expect, it } from "vitest";
import { watchChanges } from "../../firmware/changes.ts";
import type { SensorConfig } from "../../firmware/config.ts";
import type { Delivery } from "../../firmware/delivery.ts";
import { startSampler } from "../../firmware/sampler.ts";
import { type Sensor, sensorError } from "../../firmware/sensors/sensor.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { parseSenml } from "../../protocol/senml.ts";
import { coldParts } from "../support/cold-parts.ts";
import { createManualClock } from "../support/manual-clock.ts";

const CONFIG: SensorConfig = { driver: "probe", periodSeconds: 10, qos: 1 };
const HOUR = 3600;

function bench(config: Partial<SensorConfig> = {}) {
  const clock = createManualClock();
  const readings: string[] = [];
  const events: string[] = [];
  const reports: string[] = [];
  const state = { failure: undefined as "crc" | "range" | undefined, throws: false, value: 1 };
  const note = (list: string[]) => (pack: Bytes) => {
    const [first] = parseSenml(pack);
    list.push(`${Math.floor(clock.uptime())} ${first?.name} ${first?.value}`);
    return true;
  };
  const delivery = {
    time: () => undefined,
    losses: { readings: 0, told: 0, events: 0, kept: 0 },
    accept: note(readings),
    event: note(events),
  } as unknown as Delivery;
  const ports = {
    clock,
    report: (error: unknown, what?: string) => {
      reports.push(`${what}: ${(error as Error).message}`);
    },
  };
  const sensor: Sensor = {
    quantities: [{ name: "level", unit: "m", exponent: 0 }],
    read(done) {
      if (state.throws) throw new Error("the driver's own");
      if (state.failure) done(sensorError(state.failure, "no luck"), []);
      else done(undefined, state.value === 0 ? [] : [state.value]);
    },
  };
  const made = { ...ports, ...coldParts, createSensor: () => sensor };
  return {
    clock,
    device: { delivery, busy: 0 },
    readings,
    events,
    reports,
    state,
    delivery,
    ports: made,
    sensor,
    config: { ...CONFIG, ...config },
  };
}

function sample(config: Partial<SensorConfig> = {}) {
  const parts = bench(config);
  startSampler(parts.ports, parts.device, parts.config, 1)();
  return parts;
}

describe("sampler", () => {
  it("sends what it reads, and nothing where the sensor has nothing to say", () => {
    const { clock, readings, state, events, reports } = sample();
    state.value = 0;
    clock.advance(10);
    state.value = 2;
    clock.advance(10);
    expect(readings).toEqual(["0 level 1", "20 level 2"]);
    expect([...events, ...reports]).toEqual([]);
  });

  it("tells a failure once, and once that it is over", () => {
    const { clock, readings, events, state, reports } = sample({ name: "tank" });
    clock.advance(100);
    const before = readings.length;
    state.failure = "crc";
    clock.advance(HOUR);
    expect(events).toEqual(["110 tank-failure 2"]);
    expect(reports.length).toBe(HOUR / 10);
    expect(readings.length).toBe(before);
    state.failure = undefined;
    clock.advance(2 * HOUR);
    expect(events).toEqual(["110 tank-failure 2", "3710 tank-failure 0"]);
    expect(readings.length).toBeGreaterThan(before);
  });

  it("tells at most once an hour of one that fails and works by turns, and how it ended", () => {
    const { clock, events, state } = sample();
    for (let i = 0; i < 5 * 360; i++) {
      state.failure = i % 2 ? "crc" : "range";
      if (i % 3 === 0) state.failure = undefined;
      clock.advance(10);
    }
    state.failure = undefined;
    clock.advance(HOUR);
    expect(events.length).toBeGreaterThan(2);
    expect(events.length).toBeLessThanOrEqual(6);
    const times = events.map((event) => Number(event.split(" ")[0]));
    for (const [i, time] of times.slice(1).entries())
      expect(time - (times[i] as number)).toBeGreaterThanOrEqual(HOUR);
    expect(events[events.length - 1]).toMatch(/probe-failure 0$/);
  });

  it("tells nothing before a boot has lasted, so that a boot loop costs no counters", () => {
    const parts = bench();
    parts.state.failure = "range";
    startSampler(parts.ports, parts.device, parts.config, 1)();
    parts.clock.advance(59);
    expect(parts.events).toEqual([]);
    parts.clock.advance(10);
    expect(parts.events).toEqual(["60 probe-failure 6"]);
  });

  it("goes on after a driver that throws", () => {
    const { clock, events, readings, state } = sample();
    state.throws = true;
    clock.advance(70);
    expect(events).toEqual(["60 probe-failure 7"]);
    state.throws = false;
    clock.advance(10);
    expect(readings.at(-1)).toBe("80 level 1");
  });
});

describe("changes", () => {
  function watch(config: Partial<SensorConfig> = {}) {
    const parts = bench(config);
    let changed = () => {};
    parts.sensor.watch = (callback) => {
      changed = callback;
    };
    watchChanges(parts.ports, parts.delivery, parts.sensor, parts.config);
    return {
      ...parts,
      change(value: number) {
        parts.state.value = value;
        changed();
      },
    };
  }

  it("are events at once, and after one only every minute, with what has become of them", () => {
    const { clock, events, change } = watch();
    change(5);
    clock.advance(1);
    for (const value of [6, 7, 8]) change(value);
    clock.advance(58);
    expect(events).toEqual(["0 level 5"]);
    clock.advance(2);
    expect(events).toEqual(["0 level 5", "60 level 8"]);
    clock.advance(HOUR);
    change(9);
    clock.advance(1);
    expect(events.length).toBe(3);
  });

  it("are as many as the board file allows", () => {
    const { clock, events, change } = watch({ eventSeconds: 0 });
    for (const value of [1, 2, 3]) {
      change(value);
      clock.advance(0);
    }
    expect(events.length).toBe(3);
  });

  it("outlast a failure, and what the sensor finds not worth a message", () => {
    const { clock, events, reports, state, change } = watch({ eventSeconds: 0 });
    state.failure = "crc";
    change(1);
    clock.advance(0);
    expect(reports).toEqual(["sensor probe: no luck"]);
    state.failure = undefined;
    change(0);
    clock.advance(0);
    change(4);
    clock.advance(0);
    expect(events).toEqual(["0 level 4"]);
  });

  it("come from sensors that notice them only", () => {
    const parts = bench();
    watchChanges(parts.ports, parts.delivery, parts.sensor, parts.config);
    parts.clock.advance(HOUR);
    expect(parts.events).toEqual([]);
  });
});
