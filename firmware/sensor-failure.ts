/** What the cloud is told of a sensor that fails, or works again: an event. */
import { createSenmlMaker, type Instant } from "../protocol/senml.ts";
import type { SensorConfig } from "./config.ts";
import type { Delivery } from "./delivery.ts";
import { failureNumber } from "./sensors/sensor.ts";

/** Sends its failure number, 0 where it works again. */
export function tellFailure(
  delivery: Pick<Delivery, "event">,
  config: SensorConfig,
  error: Error | undefined,
  instant: Instant,
): void {
  const name = (config.name || config.driver) + "-failure";
  const makeSenml = createSenmlMaker([{ name: name, unit: "/", exponent: 0 }]);
  delivery.event(makeSenml([error ? failureNumber(error) : 0], instant, 0));
}
