/** What the cloud is told of a sensor that fails, or works again: an event. */
import { createSenmlMaker, type Instant } from "../protocol/senml.ts";
import type { SensorConfig } from "./config.ts";
import type { Delivery } from "./delivery.ts";
import type { RunningDevice } from "./device-ports.ts";
import { failureNumber } from "./sensors/sensor.ts";

/** Sends its failure number, 0 where it works again. */
export function tellFailure(
  device: Pick<RunningDevice, "delivery" | "atSleep">,
  config: SensorConfig,
  error: Error | undefined,
  instant: Instant,
  bit: number,
): void {
  const name = (config.name || config.driver) + "-failure";
  const makeSenml = createSenmlMaker([{ name: name, unit: "/", exponent: 0 }]);
  (device.delivery as Delivery).event(makeSenml([error ? failureNumber(error) : 0], instant, 0));
  if (!device.atSleep) return;
  device.atSleep.note.failing ^= bit;
  device.atSleep.note.failureAt = instant.time || 0;
}
