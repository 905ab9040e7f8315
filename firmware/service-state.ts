import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import type * as Cold from "./cold.ts";
import type { RunningDevice } from "./device-ports.ts";
import type { Life } from "./life.ts";
import type { Clock, Log, ReportError, System } from "./ports.ts";

/** What the parts of the service share: one object, since each costs the device variables. */
export interface ServiceState {
  /** Makes what is rarely needed; nobody holds it for long. */
  cold: () => typeof Cold;
  crypto: DeviceCrypto;
  clock: Clock;
  log: Log;
  system: System;
  life: Life;
  report: ReportError;
  /** Boots in a row that did not last, with this one, and why it came: RESET_*. */
  boots: number;
  reason: number;
  /** Errors that ended nothing, and the last of them for a person who comes after it has scrolled away. */
  errors: number;
  lastError: string;
  /** Undefined until it has started, and in safe mode. */
  device?: RunningDevice;
}

/** Restarts the board on purpose: RESET_CONSOLE to RESET_MEMORY. */
export function restart(
  service: Pick<ServiceState, "cold" | "crypto" | "log" | "boots" | "system" | "device">,
  why: number,
): void {
  const cold = service.cold();
  const delivery = service.device && service.device.delivery;
  if (delivery) cold.keepLosses(service, delivery.losses);
  cold.openBootGuard(service.crypto, service.log).restarting(service.boots, why);
  service.system.interpreter.reboot();
}
