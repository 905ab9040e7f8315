/** Timer to sensor to sealed reading: each sensor on its own period, none stops another. */
import { createSenmlMaker } from "../protocol/senml.ts";
import type { SensorConfig } from "./config.ts";
import type { Delivery } from "./delivery.ts";
import type { Clock, ReportError } from "./ports.ts";
import type { Sensor } from "./sensors/sensor.ts";

/**
 * Starts reading a sensor now and then every period, for ever. The result reads it at
 * once; the next reading follows a period later.
 */
export function startSampler(
  ports: { clock: Clock; report: ReportError },
  delivery: Delivery,
  sensor: Sensor,
  config: SensorConfig,
): () => void {
  const clock = ports.clock;
  const makeSenml = createSenmlMaker(sensor.quantities);
  let due = clock.uptime();
  let reportedDrops = 0;
  let timer = 0;

  function report(error: unknown): void {
    ports.report(error, "sensor " + config.driver);
  }

  function keep(error: Error | undefined, values: number[]): void {
    try {
      if (error) throw error;
      const drops = delivery.drops();
      const instant = { time: delivery.time(), uptime: Math.floor(clock.uptime()) };
      const pack = makeSenml(values, instant, drops > reportedDrops ? drops : 0);
      if (delivery.accept(pack, config.qos, config.drop || "oldest")) reportedDrops = drops;
    } catch (failure) {
      report(failure);
    }
  }

  function tick(): void {
    // A period that was missed (a blocked connect) is skipped, not made up for in a burst.
    const now = clock.uptime();
    // The configuration is looked at each time: a command may have changed it.
    due = Math.max(Math.min(due, now) + config.periodSeconds, now);
    clock.clearTimeout(timer);
    timer = clock.setTimeout(tick, (due - now) * 1000);
    try {
      sensor.read(keep);
    } catch (error) {
      report(error);
    }
  }

  tick();
  return tick;
}
