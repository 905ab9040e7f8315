/**
 * What keeps an unattended board alive and lets a person look into it, around whatever
 * the device does: boot guard, safe mode, LED, button, console, health.
 */
import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import { createBootGuard, RESET_SAFE, SAFE_BOOTS, STABLE_SECONDS } from "./boot-guard.ts";
import type { Board } from "./config.ts";
import { exposeCommands, type Scope } from "./console.ts";
import { createErrorRecord } from "./error-record.ts";
import { startHealth } from "./health.ts";
import type { Clock, Log, RunningDevice, System } from "./ports.ts";
import { runSafeMode } from "./safe-mode.ts";
import type { ServiceState } from "./service-state.ts";

export interface ServicePorts {
  crypto: DeviceCrypto;
  clock: Clock;
  log: Log;
  system: System;
  /** Starts the LED, as `startButton` the button; undefined on a board without one. */
  startLed: ((service: ServiceState) => void) | undefined;
  startButton: ((service: ServiceState, begin: (held: boolean) => void) => void) | undefined;
  /** The global object. */
  scope: Scope;
}

/** Starts the device. Throws what keeps it from starting; is not called in safe mode. */
export type StartDevice = (service: ServiceState) => RunningDevice;

export function startService(ports: ServicePorts, board: Board, start: StartDevice): void {
  const clock = ports.clock;
  const system = ports.system;
  const esp32 = system.esp32;
  // Before anything else is done that may fail.
  const isWake = esp32 !== undefined && esp32.getWakeupCause() !== 0;
  const guard = createBootGuard(ports.crypto, isWake, ports.log);
  const errors = createErrorRecord(clock, ports.log);
  const service: ServiceState = {
    crypto: ports.crypto,
    clock: clock,
    log: ports.log,
    system: system,
    guard: guard,
    errors: errors.record,
    report: errors.report,
    state: "boot",
    device: undefined,
  };

  function pause(why: string, grow: boolean): void {
    service.state = "safe";
    runSafeMode(service, why, grow);
  }

  function begin(held: boolean): void {
    if (held) pause("button held", false);
    else if (guard.reason === RESET_SAFE) pause("asked for", false);
    else if (guard.boots >= SAFE_BOOTS) pause(SAFE_BOOTS + " short boots in a row", true);
    else
      try {
        service.state = "identity";
        const device = start(service);
        service.device = device;
        clock.setTimeout(function () {
          guard.lasted();
          startHealth(service, device, board.health && board.health.periodHours);
        }, STABLE_SECONDS * 1000);
      } catch (error) {
        service.log("coseflow cannot start: " + (error as Error).message);
        // What is missing may come back: randomness, a flash that answers, a person.
        pause("cannot start", true);
      }
  }

  system.process.on("uncaughtException", function (error) {
    service.report("Uncaught", error);
    if (error instanceof Error) service.log("" + error.stack);
  });
  if (ports.startLed) ports.startLed(service);
  exposeCommands(service, ports.scope);
  if (ports.startButton) ports.startButton(service, begin);
  else begin(false);
}
