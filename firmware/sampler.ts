/** Timer to sensor to sealed reading: each sensor on its own period, none stops another. */
import { createSenmlMaker } from "../protocol/senml.ts";
import { STABLE_SECONDS } from "./boot-guard.ts";
import type { WatchChanges } from "./changes.ts";
import type { SensorConfig } from "./config.ts";
import type { Delivery } from "./delivery.ts";
import type { Clock, ReportError } from "./ports.ts";
import { failureNumber, type Sensor } from "./sensors/sensor.ts";

/** Between two events of one sensor that fails and works by turns: each is signed, and kept in flash. */
const FAILURE_SECONDS = 3600;

/**
 * Starts reading a sensor now and then every period, for ever. The result reads it at
 * once; the next reading follows a period later.
 */
export function startSampler(
  ports: { clock: Clock; report: ReportError; watchChanges?: WatchChanges | undefined },
  delivery: Delivery,
  sensor: Sensor,
  config: SensorConfig,
): () => void {
  const clock = ports.clock;
  const makeSenml = createSenmlMaker(sensor.quantities);
  let due = clock.uptime();
  let reportedDrops = 0;
  let timer = 0;
  /** What the cloud was told last of the sensor, 0: it works; and when it may be told more. */
  let told = 0;
  // Not before a boot has lasted: in a boot loop each would cost a counter.
  let tellFrom = STABLE_SECONDS;

  function report(error: unknown): void {
    ports.report(error, "sensor " + config.driver);
  }

  function keep(error: Error | undefined, values: number[]): void {
    const now = clock.uptime();
    const instant = { time: delivery.time(), uptime: Math.floor(now) };
    const failure = error ? failureNumber(error) : 0;
    try {
      if (error) report(error);
      else if (values.length > 0) {
        const drops = delivery.drops();
        const pack = makeSenml(values, instant, drops > reportedDrops ? drops : 0);
        if (delivery.accept(pack, config.qos, config.drop || "oldest")) reportedDrops = drops;
      }
      if ((failure === 0) === (told === 0) || now < tellFrom) return;
      tellFrom = now + FAILURE_SECONDS;
      const name = (config.name || config.driver) + "-failure";
      const tell = createSenmlMaker([{ name: name, unit: "/", exponent: 0 }]);
      delivery.event(tell([failure], instant, 0));
      told = failure;
    } catch (thrown) {
      report(thrown);
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
      keep(error as Error, []);
    }
  }

  if (ports.watchChanges) ports.watchChanges(ports, delivery, sensor, config);
  tick();
  return tick;
}
