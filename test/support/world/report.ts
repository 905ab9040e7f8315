import type { RunningDevice } from "../../../firmware/device-ports.ts";
import { sendHealth } from "../../../firmware/health.ts";
import type { Clock, ReportError, System } from "../../../firmware/ports.ts";

/** Between two looks for the first receipt of a boot, which the health record follows. */
const REPORT_MS = 30_000;
/** All that the health record asks of Espruino. */
export const NO_SYSTEM = { process: { memory: () => ({ free: 2100 }) } } as unknown as System;

/** One health record a boot, soon after its first receipt, as firmware/service.ts sends it. */
export function sendReport(device: RunningDevice, clock: Clock, report: ReportError): void {
  clock.setTimeout(() => {
    if (device.delivery?.time() === undefined) sendReport(device, clock, report);
    else sendHealth({ clock, report, system: NO_SYSTEM, boots: 1, reason: 0, errors: 0 }, device);
  }, REPORT_MS);
}
