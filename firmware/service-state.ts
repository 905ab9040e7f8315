import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import type { BootGuard } from "./boot-guard.ts";
import type { ErrorRecord, ReportError } from "./error-record.ts";
import type { Clock, Log, RunningDevice, System } from "./ports.ts";

/** What the parts of the service share: one object, since each costs the device variables. */
export interface ServiceState {
  crypto: DeviceCrypto;
  clock: Clock;
  log: Log;
  system: System;
  guard: BootGuard;
  errors: ErrorRecord;
  report: ReportError;
  /** "boot", "identity" or "safe", as long as there is no device to tell more. */
  state: string;
  /** Undefined until it has started, and in safe mode. */
  device: RunningDevice | undefined;
}

/** The state of the device, or of the board while there is none. */
export function stateOf(service: ServiceState): string {
  return service.device ? service.device.state() : service.state;
}
