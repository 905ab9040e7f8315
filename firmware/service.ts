/**
 * What keeps an unattended board alive and lets a person look into it, around whatever
 * the device does: boot guard, safe mode, watchdog, LED, button, console, health.
 */
import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import { RESET_MEMORY, RESET_SAFE, RESET_WAKE, SAFE_BOOTS, STABLE_SECONDS } from "./boot-guard.ts";
import type * as Cold from "./cold.ts";
import type { Board } from "./config.ts";
import type { RunningDevice } from "./device-ports.ts";
import type * as Setup from "./espruino/setup.ts";
import { createLife, UNSAFE, UNSET } from "./life.ts";
import { KEEP_SECONDS } from "./losses.ts";
import type { Clock, Log, ReportError, System } from "./ports.ts";
import { restart, type ServiceState } from "./service-state.ts";

/** A blocked connect takes 22 s, after a name that blocks for nearly as long: twice that, and room. */
export const WATCHDOG_SECONDS = 120;
/** Between two rounds of the service: five feedings may fail to come before the board resets. */
const ROUND_SECONDS = 20;
/** From the first receipt of a boot to its report at most, a round aside: readings that wait go first. */
const REPORT_SECONDS = 30;
export const DEFAULT_PERIOD_HOURS = 24;
/** A boot whose memory lasted so long is none of a row that leads to safe mode. */
const MEMORY_SECONDS = 3600;
/** Of the last error: it is kept in memory. */
const MAX_ERROR = 100;

export interface ServicePorts {
  cold: () => typeof Cold;
  /** On a board with Wi-Fi: what takes a network over the cable. */
  setup: (() => typeof Setup) | undefined;
  /** Of the firmware, for a person. */
  version: string;
  crypto: DeviceCrypto;
  clock: Clock;
  log: Log;
  system: System;
  /** On a board without one undefined, as the others. One step of the LED; see createLed. */
  createLed: ((service: ServiceState) => () => number) | undefined;
  startButton: ((service: ServiceState, begin: (held: boolean) => void) => void) | undefined;
  exposeCommands: ((service: ServiceState) => void) | undefined;
  startSleeper: ((service: ServiceState, device: RunningDevice) => void) | undefined;
}

/**
 * Starts the device; undefined where it has no network to start with. Throws what keeps it from
 * starting; is not called in safe mode.
 */
export type StartDevice = (service: ServiceState) => RunningDevice | undefined;

/** One function for all errors, also for Espruino's to call: each costs variables. */
function createReport(service: ServiceState): ReportError {
  return function (error, what) {
    const text = (what || "Uncaught") + ": " + (error instanceof Error ? error.message : error);
    service.errors++;
    service.lastError =
      text.substring(0, MAX_ERROR) + " (at " + Math.floor(service.clock.uptime()) + " s)";
    service.log(text);
    if (!what && error instanceof Error) service.log("" + error.stack);
  };
}

/**
 * The rounds that go on for ever, by one timer for all there is to do: the LED, the watchdog, memory
 * that ran out, the end of a short boot, the health record.
 *
 * Espruino's own way to feed the watchdog ("auto") does it from the idle loop, which goes
 * on when all timers are gone: that device would sit there for ever. Fed from here, a hung
 * interpreter and dead timers both end in a reset.
 */
function startRounds(
  service: ServiceState,
  step: (() => number) | undefined,
  periodHours: number,
): void {
  let lasted = false;
  let ranOut = false;
  let due = 0;
  let keepFrom = 0;

  function round(): void {
    // First: where no timer can be set any more, the watchdog is not fed either.
    service.clock.setTimeout(round, step ? step() : ROUND_SECONDS * 1000);
    if (service.system.esp32) service.system.interpreter.kickWatchdog();
    const device = service.device;
    const now = service.clock.uptime();
    // What ran then was ended in its middle, past every catch: nothing in memory can be relied on.
    if (service.system.interpreter.getErrorFlags().some((flag) => flag === "MEMORY")) {
      service.log("memory ran out: restarting");
      // What notes the reason found no memory either.
      if (ranOut) service.system.interpreter.reboot();
      ranOut = true;
      if (now >= MEMORY_SECONDS) service.boots = 0;
      restart(service, RESET_MEMORY);
      return;
    }
    // An event is signed and costs a counter, which a boot loop must not.
    if (!device || now < STABLE_SECONDS) return;
    if (!lasted) {
      lasted = true;
      service.cold().openBootGuard(service.crypto, service.log).lasted();
    }
    const losses = device.delivery && device.delivery.losses;
    if (losses && now >= keepFrom && losses.readings + losses.told + losses.events > losses.kept) {
      keepFrom = now + KEEP_SECONDS;
      service.cold().keepLosses(service, losses);
    }
    if (!periodHours || !device.delivery || device.delivery.time() === undefined)
      due = now + REPORT_SECONDS;
    else if (now >= due) {
      due = now + periodHours * 3600;
      service.cold().sendHealth(service, device);
    }
  }

  if (service.system.esp32) service.system.interpreter.enableWatchdog(WATCHDOG_SECONDS, false);
  round();
}

/** Numbers alone: the guard would hold all that is cold. */
function countBoot(ports: ServicePorts, isWake: boolean): { boots: number; reason: number } {
  const cold = ports.cold();
  const guard = cold.openBootGuard(ports.crypto, ports.log);
  const reason = isWake ? RESET_WAKE : cold.resetReason(ports.crypto, guard.reason);
  return { boots: guard.count(isWake), reason: reason };
}

/** Its functions end with the start, unless a button is still to be let go of: they cost variables. */
export function startService(ports: ServicePorts, board: Board, start: StartDevice): void {
  const log = ports.log;
  const esp32 = ports.system.esp32;
  // Before anything else is done that may fail.
  const isWake = esp32 !== undefined && esp32.getWakeupCause() !== 0;
  const boot = countBoot(ports, isWake);
  const service = {
    cold: ports.cold,
    crypto: ports.crypto,
    clock: ports.clock,
    log: log,
    system: ports.system,
    life: createLife(log),
    boots: boot.boots,
    reason: boot.reason,
    errors: 0,
    lastError: "",
  } as ServiceState;
  service.report = createReport(service);
  ports.system.process.on("uncaughtException", service.report);

  function begin(held: boolean): void {
    let why = "";
    if (held) why = "button held";
    else if (service.reason === RESET_SAFE) why = "asked for";
    else if (service.boots >= SAFE_BOOTS) why = SAFE_BOOTS + " short boots in a row";
    else
      try {
        const device = start(service);
        if (device) {
          service.device = device;
          if (ports.startSleeper) ports.startSleeper(service, device);
          return;
        }
      } catch (error) {
        log("coseflow cannot start: " + (error as Error).message);
        // What is missing may come back: randomness, a flash that answers, a person.
        why = "cannot start";
      }
    service.life.move(why === "" ? UNSET : UNSAFE);
    if (why !== "")
      service.cold().runSafeMode(service, why, !held && service.reason !== RESET_SAFE);
    if (ports.setup) ports.setup().waitForNetwork(service, board, ports.version, why === "");
  }

  startRounds(
    service,
    ports.createLed && ports.createLed(service),
    // A board that sleeps sends its records before a sleep.
    ports.startSleeper ? 0 : (board.health && board.health.periodHours) || DEFAULT_PERIOD_HOURS,
  );
  if (ports.exposeCommands) ports.exposeCommands(service);
  if (ports.startButton) ports.startButton(service, begin);
  else begin(false);
}
