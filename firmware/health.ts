/**
 * The health record: what a person who cannot see the board wants to know of it, as a
 * signed event. The first of a boot is its boot report too: until the first receipt the
 * device knew no time, and its readings carried seconds since boot. This ties these to
 * Unix time, for the sessions of this boot.
 */
import { fromBigEndian } from "../protocol/bytes.ts";
import { createSenmlMaker, DROPPED, type Quantity } from "../protocol/senml.ts";
import type { RunningDevice } from "./device-ports.ts";
import type { ServiceState } from "./service-state.ts";

/**
 * Sends the record, of at most MAX_RECORDS with its time, which must be known. What the
 * board does not have is left out, and one that cannot be sent is not sent later.
 */
export function sendHealth(
  service: Pick<ServiceState, "clock" | "system" | "boots" | "reason" | "errors" | "report">,
  device: RunningDevice,
): void {
  const system = service.system;
  const delivery = device.delivery;
  if (!delivery) return;
  const newest = delivery.newest();
  const uptime = Math.floor(service.clock.uptime());
  const quantities: Quantity[] = [];
  const values: number[] = [];

  function add(name: string, unit: string, value: number | undefined): void {
    if (value === undefined) return;
    quantities.push({ name: name, unit: unit, exponent: 0 });
    values.push(value);
  }

  // Without it the record dates nothing: a session outlasts the wakes of a board that sleeps.
  if (!device.atSleep) add("boot-uptime", "s", uptime);
  add("boot-first", "1", device.firstSession);
  add("boot-session", "1", fromBigEndian(newest.kid));
  add("boot-sequence", "1", newest.lastSequence);
  add("boots", "count", service.boots);
  add("reset", "1", service.reason);
  add("variables", "count", system.process.memory().free);
  add("heap", "B", system.esp32 && system.esp32.getState().freeHeap);
  add("rssi", "dBm", system.wifi && system.wifi.getStatus().rssi);
  add("queue", "count", delivery.queued());
  add(DROPPED, "count", delivery.losses.readings);
  add("events-dropped", "count", delivery.losses.events);
  add("sessions", "count", delivery.sessions().length);
  add("reconnects", "count", Math.max(0, device.turn.connects - 1));
  add("refused", "count", device.refused + device.turn.malformed);
  add("errors", "count", service.errors);
  try {
    const pack = createSenmlMaker(quantities)(values, { time: delivery.time(), uptime: uptime }, 0);
    delivery.event(pack);
  } catch (error) {
    service.report(error, "health record");
  }
}
