/** Timer to sensor to sealed reading: each sensor on its own period, none stops another. */
import { createSenmlMaker } from "../protocol/senml.ts";
import type { SensorConfig } from "./config.ts";
import type { Delivery } from "./delivery.ts";
import type { DevicePorts, RunningDevice } from "./device-ports.ts";

/**
 * Starts reading a sensor now and then every period, for ever. The result reads it at
 * once; the next reading follows a period later.
 *
 * On a board that sleeps deeply (`resume`) it is read once. Its readings have no uptime: each
 * wake begins at 0, and a session outlasts it, so that no boot report could tell which wake
 * was meant.
 */
export function startSampler(
  ports: Pick<DevicePorts, "clock" | "report" | "resume" | "createSensor">,
  device: Pick<RunningDevice, "delivery" | "busy">,
  config: SensorConfig,
): () => void {
  const clock = ports.clock;
  const sensor = ports.createSensor(config);
  const makeSenml = createSenmlMaker(sensor.quantities);
  let due = clock.uptime();
  let reportedDrops = 0;
  let timer = 0;

  function report(error: unknown): void {
    ports.report(error, "sensor " + config.driver);
  }

  function keep(error: Error | undefined, values: number[]): void {
    const delivery = device.delivery as Delivery;
    device.busy--;
    try {
      if (error) throw error;
      const drops = delivery.drops();
      const uptime = ports.resume ? undefined : Math.floor(clock.uptime());
      const instant = { time: delivery.time(), uptime: uptime };
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
    device.busy++;
    if (!ports.resume) timer = clock.setTimeout(tick, (due - now) * 1000);
    try {
      sensor.read(keep);
    } catch (error) {
      report(error);
      device.busy--;
    }
  }

  tick();
  return tick;
}
