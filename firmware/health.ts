/**
 * The health record: what a person who cannot see the board wants to know of it, as a
 * SenML pack. It goes out once a boot has lasted, and then every period: an event is
 * signed and costs a counter, which a boot loop must not.
 */
import { createSenmlMaker, DROPPED, type Quantity, UPTIME } from "../protocol/senml.ts";
import type { RunningDevice } from "./ports.ts";
import type { ServiceState } from "./service-state.ts";

const DEFAULT_PERIOD_HOURS = 24;
const HOUR_MS = 3600000;

/**
 * Sends the record now and then every period. What the board does not have is left out
 * of it, and one that cannot be sent is not sent later.
 */
export function startHealth(
  service: ServiceState,
  device: RunningDevice,
  periodHours: number | undefined,
): void {
  function send(): void {
    service.clock.setTimeout(send, (periodHours || DEFAULT_PERIOD_HOURS) * HOUR_MS);
    const system = service.system;
    const vitals = device.vitals();
    const uptime = Math.floor(service.clock.uptime());
    const quantities: Quantity[] = [];
    const values: number[] = [];

    function add(name: string, unit: string, value: number | undefined): void {
      if (value === undefined) return;
      quantities.push({ name: name, unit: unit, exponent: 0 });
      values.push(value);
    }

    add("boots", "count", service.guard.boots);
    add("reset", "1", service.guard.reason);
    add("variables", "count", system.process.memory().free);
    add("heap", "B", system.esp32 && system.esp32.getState().freeHeap);
    add("queue", "count", vitals.queued);
    add(DROPPED, "count", vitals.dropped);
    add("sessions", "count", vitals.sessions);
    add("reconnects", "count", vitals.reconnects);
    add("rssi", "dBm", system.wifi && system.wifi.getStatus().rssi);
    add("refused", "count", vitals.refused);
    add("malformed", "count", vitals.malformed);
    add("errors", "count", service.errors.count);
    // A pack without a time is given its uptime by the maker.
    if (vitals.time !== undefined) add(UPTIME, "s", uptime);
    try {
      const makeSenml = createSenmlMaker(quantities);
      device.sendEvent(makeSenml(values, { time: vitals.time, uptime: uptime }, 0));
    } catch (error) {
      service.report("health record", error);
    }
  }

  send();
}
