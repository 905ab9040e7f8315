/** Thresholds of a sensor that a sampler reads, over a delivery that notes its events. */
import { describe, expect, it } from "vitest";
import { createAlarm } from "../../firmware/alarm.ts";
import type { SensorConfig } from "../../firmware/config.ts";
import type { Delivery } from "../../firmware/delivery.ts";
import { startSampler } from "../../firmware/sampler.ts";
import { refine } from "../../firmware/sensors/refine.ts";
import { type Sensor, sensorError } from "../../firmware/sensors/sensor.ts";
import type { SleepNote } from "../../firmware/session-list.ts";
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import { parseSenml } from "../../protocol/senml.ts";
import { coldParts } from "../support/cold-parts.ts";
import { createManualClock } from "../support/manual-clock.ts";

/** Between two samples, which the test asks for: the period of the board file is never over. */
const PERIOD = 100;
/** The least time between two events of a sensor. */
const LEAST = 60;
const BASE: SensorConfig = { driver: "probe", periodSeconds: 10_000_000, qos: 1 };
const TEMPERATURE = { name: "temperature", unit: "Cel", exponent: -2 };
const HUMIDITY = { name: "humidity", unit: "%RH", exponent: -1 };
const UNIX = 1_700_000_000;
/** A boot that no sleep was before. */
const AWAKE: SleepNote = {
  isResumed: false,
  isWake: false,
  wakeAt: 0,
  healthAt: 0,
  failureAt: 0,
  failing: 0,
  tellFrom: 0,
};

interface Options {
  config?: Partial<SensorConfig>;
  quantities?: Sensor["quantities"];
  records?: Map<string, Bytes>;
  sleeps?: boolean;
}

/** A board with one sensor. */
function bench({ config = {}, quantities = [TEMPERATURE], records = new Map(), sleeps }: Options) {
  const clock = createManualClock();
  const events: Record<string, number | boolean>[] = [];
  const units: Record<string, string | undefined>[] = [];
  const readings: (number | boolean)[] = [];
  const reports: string[] = [];
  const full = { events: false, records: false };
  let values: number[] | undefined;
  const delivery = {
    time: () => (sleeps ? UNIX : undefined),
    losses: { readings: 0, told: 0, events: 0, kept: 0 },
    accept: (pack: Bytes) => readings.push(parseSenml(pack)[0]?.value ?? NaN) > 0,
    event(pack: Bytes) {
      if (full.events) throw new Error("store full");
      const records = parseSenml(pack);
      events.push(Object.fromEntries(records.map(({ name, value }) => [name, value])));
      units.push(Object.fromEntries(records.map(({ name, unit }) => [name, unit])));
    },
  } as unknown as Delivery;
  const sensor: Sensor = {
    quantities,
    read(done) {
      if (values === undefined) done(sensorError("crc", "no luck"), []);
      else done(undefined, values);
    },
  };
  const ports = {
    clock,
    log: () => undefined,
    report: (error: unknown, what?: string) => {
      reports.push(`${what}: ${(error as Error).message}`);
    },
    crypto: {
      readRecord: (id: string) => records.get(id),
      writeRecord(id: string, content: Bytes) {
        if (full.records) throw new Error("record full");
        records.set(id, content);
      },
    } as unknown as DeviceCrypto,
    resume: sleeps ? () => AWAKE : undefined,
  };
  const device = { delivery, busy: 0 };
  const wanted = { ...BASE, ...config };
  const sample = startSampler(
    {
      ...ports,
      ...coldParts,
      createSensor: (asked, of) => refine(sensor, asked, clock, createAlarm(ports, of, asked, 3)),
    },
    device,
    wanted,
    1,
  );
  function take(next: number[] | undefined, after = PERIOD): void {
    values = next;
    clock.advance(after);
    sample();
  }
  return {
    clock,
    events,
    units,
    readings,
    reports,
    records,
    device,
    full,
    take,
    /** Takes each value, and gives the state that was told of it, if any. */
    run(...series: number[]): (number | boolean | undefined)[] {
      return series.map((value) => {
        const before = events.length;
        take([value]);
        clock.advance(0);
        return events[before]?.["temperature-alarm"];
      });
    },
  };
}

const thresholds = (limits: { above?: number; below?: number; hysteresis?: number }) => ({
  config: { alarm: { temperature: limits } },
});

describe("an alarm", () => {
  it("is an event when a value goes above, and one when it is back, and none in between", () => {
    const told = bench(thresholds({ above: 30 })).run(2900, 3000, 3001, 3500, 3001, 3000, 2000);
    expect(told).toEqual([undefined, undefined, 1, undefined, undefined, 0, undefined]);
  });

  it("below a threshold is -1, and a jump from one side to the other is told at once", () => {
    const { run } = bench(thresholds({ above: 30, below: -5.5 }));
    expect(run(-550, -551, -600, 3100, -900, 0)).toEqual([undefined, -1, undefined, 1, -1, 0]);
  });

  it("is over only when the value has come back by the hysteresis", () => {
    const above = bench(thresholds({ above: 30, hysteresis: 0.5 }));
    expect(above.run(3001, 2999, 2951, 2950, 2951)).toEqual([
      1,
      undefined,
      undefined,
      0,
      undefined,
    ]);
    const below = bench(thresholds({ below: 5, hysteresis: 0.25 }));
    expect(below.run(499, 501, 524, 525)).toEqual([-1, undefined, undefined, 0]);
  });

  it("tells the state of what crossed, and all values, in the units of the sensor", () => {
    const alarm = { temperature: { above: 30 }, humidity: { below: 20 } };
    const parts = bench({ config: { alarm, name: "attic" }, quantities: [TEMPERATURE, HUMIDITY] });
    parts.take([3150, 455]);
    parts.clock.advance(0);
    parts.take([3150, 199]);
    parts.clock.advance(0);
    expect(parts.events).toEqual([
      {
        "attic-temperature-alarm": 1,
        "attic-temperature": 31.5,
        "attic-humidity": 45.5,
        uptime: 100,
      },
      {
        "attic-humidity-alarm": -1,
        "attic-temperature": 31.5,
        "attic-humidity": 19.9,
        uptime: 200,
      },
    ]);
    expect(parts.units[0]).toMatchObject({
      "attic-temperature-alarm": "/",
      "attic-temperature": "Cel",
      "attic-humidity": "%RH",
    });
  });

  it("is not held back by a dead band, as its reading is", () => {
    const alarm = { temperature: { above: 30 } };
    const { run, readings } = bench({ config: { alarm, deadband: { temperature: 5 } } });
    expect(run(2990, 3010, 2990)).toEqual([undefined, 1, 0]);
    expect(readings).toEqual([29.9]);
  });

  it("of a value outside of its range, or a sensor that fails, is none: the failure is told", () => {
    const config = {
      alarm: { temperature: { above: 30 } },
      range: { temperature: { min: 0, max: 50 } },
    };
    const { take, events, clock, reports } = bench({ config });
    for (const values of [[6000], undefined, [3100]]) {
      take(values);
      clock.advance(0);
    }
    expect(events.map((event) => Object.keys(event)[0])).toEqual([
      "probe-failure",
      "temperature-alarm",
    ]);
    expect(reports.length).toBe(2);
  });

  it("is not over because a sensor has nothing to tell", () => {
    const { take, events, clock } = bench(thresholds({ above: 30 }));
    for (const values of [[3100], []]) {
      take(values);
      clock.advance(0);
    }
    expect(events).toHaveLength(1);
  });

  it("comes at most once a minute of one sensor, and then says what has become of it", () => {
    const { take, events, clock } = bench(thresholds({ above: 30 }));
    let seconds = 0;
    for (; seconds < 10 * LEAST; seconds += 7) take([seconds % 2 === 0 ? 3100 : 2900], 7);
    clock.advance(LEAST);
    const states = events.map((event) => event["temperature-alarm"]);
    expect(states.length).toBeGreaterThan(3);
    expect(states.length).toBeLessThanOrEqual(seconds / LEAST + 1);
    expect(states.filter((state, index) => state === states[index - 1])).toEqual([]);
    const times = events.map(({ uptime }) => uptime as number);
    for (const [index, time] of times.slice(1).entries())
      expect(time - (times[index] as number)).toBeGreaterThanOrEqual(LEAST);
  });
});

describe("what an alarm has told", () => {
  it("is not told again after a restart, and its end is", () => {
    const options = thresholds({ above: 30, hysteresis: 1 });
    const records = new Map<string, Bytes>();
    expect(bench({ ...options, records }).run(3100)).toEqual([1]);
    expect(records.get("alarm3")).toBe("\x01+");
    const again = bench({ ...options, records });
    expect(again.run(3200, 2950, 2900, 2900)).toEqual([undefined, undefined, 0, undefined]);
    expect(bench({ ...options, records }).run(2950)).toEqual([undefined]);
  });

  it("costs no write while nothing crosses", () => {
    const { run, records } = bench(thresholds({ above: 30 }));
    run(2000, 2100, 2200);
    expect(records.size).toBe(0);
  });

  it("is told once more where the record of it is damaged, or was not written", () => {
    const options = thresholds({ above: 30 });
    const damaged = bench({ ...options, records: new Map([["alarm3", bytes("\x09+")]]) });
    expect(damaged.run(3100)).toEqual([1]);
    const unwritten = bench(options);
    unwritten.full.records = true;
    expect(unwritten.run(3100, 3100)).toEqual([1, undefined]);
    expect(unwritten.reports).toEqual(["alarm of probe: record full"]);
    expect(bench({ ...options, records: unwritten.records }).run(3100)).toEqual([1]);
  });

  it("is tried again where no event could be kept, and readings go on", () => {
    const parts = bench(thresholds({ above: 30 }));
    parts.full.events = true;
    expect(parts.run(3100)).toEqual([undefined]);
    expect(parts.reports).toEqual(["alarm of probe: store full"]);
    parts.full.events = false;
    expect(parts.run(3100)).toEqual([1]);
    expect(parts.readings).toEqual([31, 31]);
  });

  it("keeps a board that sleeps awake until it is signed, and has no uptime", () => {
    const { take, events, clock, device } = bench({ ...thresholds({ above: 30 }), sleeps: true });
    take([3100]);
    expect([device.busy, events]).toEqual([1, []]);
    clock.advance(0);
    expect(device.busy).toBe(0);
    expect(events).toEqual([{ "temperature-alarm": 1, temperature: 31 }]);
  });
});
