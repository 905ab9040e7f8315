/** What a board file may ask of any sensor: a range, a mean of several samples, thresholds, reports on change, a name. */
import type { Quantity } from "../../protocol/senml.ts";
import type { SensorConfig } from "../config.ts";
import type { Clock } from "../ports.ts";
import { type Sensor, sensorError, toScale, toWhole } from "./sensor.ts";

/** Between two samples: some of them fall on each part of a mains period of 20 or 17 ms. */
const SAMPLE_GAP_MS = 7;
/** Silence must not last: who hears nothing cannot tell a steady sensor from a dead one. */
const HEARTBEAT_SECONDS = 3600;

type Read = Sensor["read"];

/** What a sensor with thresholds does with what it reads. `own` are the driver's names of the values. */
export type AlarmStage = (read: Read, own: Quantity[], named: Quantity[]) => Read;

function within(read: Read, sensor: Sensor, config: SensorConfig): Read {
  const range = config.range || {};
  const bounds = sensor.quantities.map(function (quantity) {
    const given = range[quantity.name];
    if (!given) return [-Infinity, Infinity];
    return [toScale(given.min, quantity.exponent), toScale(given.max, quantity.exponent)];
  });
  return function (done) {
    read(function (error, values) {
      for (let i = 0; i < values.length; i++) {
        const value = values[i] as number;
        const bound = bounds[i] as number[];
        if (value >= (bound[0] as number) && value <= (bound[1] as number)) continue;
        const expectation = config.driver + ", expected " + bound[0] + " to " + bound[1];
        done(sensorError("range", expectation + ", got " + value), []);
        return;
      }
      done(error, values);
    });
  };
}

/** One sample that fails spoils the mean. A timer between them keeps the stack flat. */
function meanOf(read: Read, clock: Clock, count: number): Read {
  return function (done) {
    let sums: number[] = [];
    let taken = 0;
    function sample(): void {
      read(function (error, values) {
        if (error) {
          done(error, []);
          return;
        }
        sums = values.map((value, i) => value + (taken > 0 ? (sums[i] as number) : 0));
        taken++;
        if (taken < count) clock.setTimeout(sample, SAMPLE_GAP_MS);
        else
          done(
            undefined,
            sums.map((sum) => toWhole(sum / count)),
          );
      });
    }
    sample();
  };
}

function onChange(read: Read, sensor: Sensor, config: SensorConfig, clock: Clock): Read {
  const deadband = config.deadband as { [quantity: string]: number };
  const bands = sensor.quantities.map(function (quantity) {
    const given = deadband[quantity.name];
    return given === undefined ? Infinity : toScale(given, quantity.exponent);
  });
  const heartbeat = config.heartbeatSeconds || HEARTBEAT_SECONDS;
  /** Undefined after a failure: what comes after it is news. */
  let last: number[] | undefined;
  let sentAt = 0;
  return function (done) {
    read(function (error, values) {
      const now = clock.uptime();
      const before = last;
      last = error ? undefined : before || values;
      if (error || !before) sentAt = now;
      else if (
        now - sentAt >= heartbeat ||
        values.some((value, i) => Math.abs(value - (before[i] as number)) > (bands[i] as number))
      ) {
        last = values;
        sentAt = now;
      } else {
        done(undefined, []);
        return;
      }
      done(error, values);
    });
  };
}

/** With the sensor's own name: the only value is called by it, several have it in front. */
function rename(quantities: Quantity[], own: string): Quantity[] {
  return quantities.map(function (quantity) {
    const name = quantities.length === 1 ? own : own + "-" + quantity.name;
    return { name: name, unit: quantity.unit, exponent: quantity.exponent };
  });
}

/** The sensor as its entry of the board file wants it. The file's maps have the driver's own names of values. */
export function refine(
  sensor: Sensor,
  config: SensorConfig,
  clock: Clock,
  alarm?: AlarmStage,
): Sensor {
  const quantities = config.name ? rename(sensor.quantities, config.name) : sensor.quantities;
  let read: Read = sensor.read;
  if (config.range) read = within(read, sensor, config);
  if (config.average && config.average > 1) read = meanOf(read, clock, config.average);
  // Before a dead band can hold a value back.
  if (alarm) read = alarm(read, sensor.quantities, quantities);
  if (config.deadband) read = onChange(read, sensor, config, clock);
  return {
    quantities: quantities,
    read: read,
    watch: sensor.watch,
  };
}
