/** Timer to sensor to sealed reading: each sensor on its own period, none stops another. */
import { createSenmlMaker } from "../protocol/senml.ts";
import type { SensorConfig } from "./config.ts";
import type { Delivery } from "./delivery.ts";
import type { ReportError } from "./error-record.ts";
import type { Clock } from "./ports.ts";
import type { Sensor } from "./sensors/sensor.ts";

/** Starts reading a sensor now and then every period, for ever. The result reads it once more. */
export function startSampler(
  ports: { clock: Clock; report: ReportError },
  delivery: Delivery,
  sensor: Sensor,
  config: SensorConfig,
): () => void {
  const clock = ports.clock;
  const makeSenml = createSenmlMaker(sensor.quantities);
  const period = config.periodSeconds;
  let due = clock.uptime();
  let reportedDrops = 0;

  function report(error: Error): void {
    ports.report("sensor " + config.driver, error);
  }

  function keep(error: Error | undefined, values: number[]): void {
    try {
      if (error) throw error;
      const drops = delivery.drops();
      const instant = { time: delivery.time(), uptime: Math.floor(clock.uptime()) };
      delivery.accept(makeSenml(values, instant, drops > reportedDrops ? drops : 0), config.qos);
      reportedDrops = drops;
    } catch (failure) {
      report(failure as Error);
    }
  }

  function sample(): void {
    try {
      sensor.read(keep);
    } catch (error) {
      report(error as Error);
    }
  }

  function tick(): void {
    // A period that was missed (a blocked connect) is skipped, not made up for in a burst.
    due = Math.max(due + period, clock.uptime());
    clock.setTimeout(tick, (due - clock.uptime()) * 1000);
    sample();
  }

  tick();
  return sample;
}
