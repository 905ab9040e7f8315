/** Changes that a sensor notices by itself become signed events, which are dear: not too many. */
import { createSenmlMaker } from "../protocol/senml.ts";
import type { SensorConfig } from "./config.ts";
import type { Delivery } from "./delivery.ts";
import type { Clock, ReportError } from "./ports.ts";
import type { Sensor } from "./sensors/sensor.ts";

/** Each event is signed and written to flash, and four may wait: a rattling door must not use that up. */
export const EVENT_SECONDS = 60;

/**
 * Sends what the sensor reads after a change. Of changes that follow too soon, only what
 * has become of them is sent, when it is time.
 */
export function watchChanges(
  ports: { clock: Clock; report: ReportError },
  delivery: Pick<Delivery, "event" | "time">,
  sensor: Sensor,
  config: SensorConfig,
): void {
  const clock = ports.clock;
  const least = config.eventSeconds === undefined ? EVENT_SECONDS : config.eventSeconds;
  let next = 0;
  let waits = false;

  function send(): void {
    waits = false;
    next = clock.uptime() + least;
    try {
      sensor.read(function (error, values) {
        if (error) throw error;
        if (values.length === 0) return;
        const instant = { time: delivery.time(), uptime: Math.floor(clock.uptime()) };
        delivery.event(createSenmlMaker(sensor.quantities)(values, instant, 0));
      });
    } catch (error) {
      ports.report(error, "sensor " + config.driver);
    }
  }

  if (sensor.watch)
    sensor.watch(function () {
      if (waits) return;
      waits = true;
      // Not from the watch itself: a signature needs a stack of its own.
      clock.setTimeout(send, Math.max(0, next - clock.uptime()) * 1000);
    });
}
export type WatchChanges = typeof watchChanges;
