/** Timer to sensor to sealed reading: each sensor on its own period, none stops another. */
import { createSenmlMaker } from "../protocol/senml.ts";
import { STABLE_SECONDS } from "./boot-guard.ts";
import type { SensorConfig } from "./config.ts";
import type { Delivery } from "./delivery.ts";
import type { DevicePorts, RunningDevice } from "./device-ports.ts";

/** Between two events of one sensor that fails and works by turns: each is signed, and kept in flash. */
export const FAILURE_SECONDS = 3600;

/**
 * The result reads the sensor at once, and then every period, for ever; called again, it begins a
 * period anew.
 *
 * On a board that sleeps deeply (`resume`) it is read once. Its readings have no uptime: each
 * wake begins at 0, and a session outlasts it, so that no boot report could tell which wake
 * was meant. What the cloud knows of the sensor is a bit of the sleep's note.
 */
export function startSampler(
  ports: Pick<
    DevicePorts,
    "clock" | "report" | "resume" | "cold" | "createSensor" | "watchChanges"
  >,
  device: Pick<RunningDevice, "delivery" | "busy" | "atSleep">,
  config: SensorConfig,
  bit: number,
): () => void {
  const clock = ports.clock;
  const sensor = ports.createSensor(config, device);
  const makeSenml = createSenmlMaker(sensor.quantities);
  let due = clock.uptime();
  let reportedDrops = (device.delivery as Delivery).losses.told;
  let timer = 0;
  /** What the cloud knows of the sensor, and when it may be told more. */
  let works = !device.atSleep || (device.atSleep.note.failing & bit) === 0;
  // Not before a boot has lasted: in a boot loop each would cost a counter.
  let tellFrom = device.atSleep ? device.atSleep.note.tellFrom : STABLE_SECONDS;

  function report(error: unknown): void {
    ports.report(error, "sensor " + config.driver);
  }

  function keep(error: Error | undefined, values: number[]): void {
    const delivery = device.delivery as Delivery;
    const now = clock.uptime();
    const instant = {
      time: delivery.time(),
      uptime: ports.resume ? undefined : Math.floor(now),
    };
    device.busy--;
    try {
      if (error) report(error);
      else if (values.length > 0) {
        const drops = delivery.losses.readings;
        const news = drops > reportedDrops ? drops : 0;
        const pack = makeSenml(values, instant, news);
        if (delivery.accept(pack, config.qos, config.drop || "oldest", news)) reportedDrops = drops;
      }
      if ((error === undefined) === works || now < tellFrom) return;
      tellFrom = now + FAILURE_SECONDS;
      ports.cold().tellFailure(device, config, error, instant, bit);
      works = error === undefined;
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
    device.busy++;
    if (!ports.resume) timer = clock.setTimeout(tick, (due - now) * 1000);
    try {
      sensor.read(keep);
    } catch (error) {
      keep(error as Error, []);
    }
  }

  if (ports.watchChanges) ports.watchChanges(ports, device.delivery as Delivery, sensor, config);
  return tick;
}
