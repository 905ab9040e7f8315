/**
 * A value that crosses a threshold of the board file is a signed event, and so is its return. What
 * the cloud was told of a sensor outlives a restart, and deep sleep, in a record:
 *
 *   0  1  version
 *   1  .  a character for each value: "=" within, "+" above, "-" below
 */
import type { Bytes } from "../protocol/bytes.ts";
import { createSenmlMaker, type Quantity } from "../protocol/senml.ts";
import { EVENT_SECONDS } from "./changes.ts";
import type { AlarmLimits, SensorConfig } from "./config.ts";
import type { Delivery } from "./delivery.ts";
import type { DevicePorts, RunningDevice } from "./device-ports.ts";
import type { AlarmStage } from "./sensors/refine.ts";
import { toScale } from "./sensors/sensor.ts";
import { readVersioned, writeVersioned } from "./versioned-record.ts";

/** Records "alarm0" and on, by the place of the sensor in the board file. */
const RECORD = "alarm";
const VERSION = 1;

/** Where a value is that was at `before`: back only by as much as the hysteresis says. */
function stateOf(value: number, exponent: number, limits: AlarmLimits, before: string): string {
  const slack = toScale(limits.hysteresis || 0, exponent);
  const above = limits.above === undefined ? Infinity : toScale(limits.above, exponent);
  const below = limits.below === undefined ? -Infinity : toScale(limits.below, exponent);
  if (value > above || (before === "+" && value > above - slack)) return "+";
  return value < below || (before === "-" && value < below + slack) ? "-" : "=";
}

/** For the sensor at this place of the board file. A board that sleeps, and has `resume`, tells no uptime. */
export function createAlarm(
  ports: Pick<DevicePorts, "clock" | "crypto" | "log" | "report" | "resume">,
  device: Pick<RunningDevice, "delivery" | "busy">,
  config: SensorConfig,
  place: number,
): AlarmStage {
  const clock = ports.clock;
  const alarm = config.alarm as { [quantity: string]: AlarmLimits };
  let told: string = readVersioned(ports.crypto, RECORD + place, VERSION, ports.log) || "";
  let next = 0;

  /**
   * By itself, since a signature needs a stack of its own. The record comes after the event: what is
   * told twice is not lost.
   */
  function send(pack: Bytes, states: string): void {
    device.busy--;
    try {
      (device.delivery as Delivery).event(pack);
      told = states;
      writeVersioned(ports.crypto, RECORD + place, VERSION, states);
    } catch (error) {
      ports.report(error, "alarm of " + config.driver);
    }
  }

  /** `own` are the driver's names of the values, by which the board file knows them. */
  function look(values: number[], own: Quantity[], named: Quantity[]): void {
    const now = clock.uptime();
    const crossed: Quantity[] = [];
    const numbers: number[] = [];
    let states = "";
    for (let i = 0; i < own.length; i++) {
      const quantity = own[i] as Quantity;
      const before = told.charAt(i) || "=";
      const limits = alarm[quantity.name] || {};
      const state = stateOf(values[i] as number, quantity.exponent, limits, before);
      states += state;
      if (state === before) continue;
      const name = (named[i] as Quantity).name + "-alarm";
      crossed.push({ name: name, unit: "/", exponent: 0 });
      numbers.push(state === "=" ? 0 : state === "+" ? 1 : -1);
    }
    if (crossed.length === 0 || now < next) return;
    next = now + EVENT_SECONDS;
    const instant = {
      time: (device.delivery as Delivery).time(),
      uptime: ports.resume ? undefined : Math.floor(now),
    };
    const pack = createSenmlMaker(crossed.concat(named))(numbers.concat(values), instant, 0);
    device.busy++;
    clock.setTimeout(() => send(pack, states), 0);
  }

  return (read, own, named) =>
    function (done) {
      read(function (error, values) {
        try {
          if (values.length > 0) look(values, own, named);
        } catch (thrown) {
          ports.report(thrown, "alarm of " + config.driver);
        }
        done(error, values);
      });
    };
}
