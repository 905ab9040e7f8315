/**
 * What a person can type at the board's console. The answers are made of names and
 * numbers that are written down here, one by one: nothing that holds a password or a
 * key is ever walked through.
 */
import { RESET_CONSOLE, RESET_SAFE } from "./boot-guard.ts";
import { type ServiceState, stateOf } from "./service-state.ts";

/** The global object: what is in it, the console finds. */
export interface Scope {
  [name: string]: unknown;
}

const NOT_RUNNING = "not running: see status()";

/** Names are arguments here: the bundle shortens properties of its own objects, and never text. */
export function exposeCommands(service: ServiceState, scope: Scope): void {
  function expose(name: string, command: () => unknown): void {
    scope[name] = command;
  }

  function restart(reason: number): void {
    service.guard.restarting(reason);
    service.system.interpreter.reboot();
  }

  expose("status", function () {
    const answer: { [name: string]: string | number } = {};
    const device = service.device;
    const system = service.system;

    function tell(name: string, value: string | number | undefined): void {
      if (value !== undefined) answer[name] = value;
    }

    tell("state", stateOf(service));
    tell("uptime", Math.floor(service.clock.uptime()));
    if (device) {
      const vitals = device.vitals();
      tell("kid", vitals.kid);
      tell("broker", vitals.broker);
      tell("time", vitals.time);
      tell("queue", vitals.queued);
      tell("drops", vitals.dropped);
      tell("sessions", vitals.sessions);
      tell("reconnects", vitals.reconnects);
      tell("refused", vitals.refused);
      tell("malformed", vitals.malformed);
    }
    tell("variables", system.process.memory().free);
    tell("heap", system.esp32 && system.esp32.getState().freeHeap);
    tell("rssi", system.wifi && system.wifi.getStatus().rssi);
    tell("boots", service.guard.boots);
    tell("reset", service.guard.reason);
    tell("errors", service.errors.count);
    tell("lastError", service.errors.last);
    return answer;
  });

  expose("rekey", function () {
    const device = service.device;
    if (!device) return NOT_RUNNING;
    return device.rekey() ? "new session opened" : "refused: the newest session has no receipt yet";
  });

  expose("sendNow", function () {
    const device = service.device;
    if (!device) return NOT_RUNNING;
    device.sendNow();
    return "sensors asked";
  });

  expose("restart", () => restart(RESET_CONSOLE));
  expose("safe", () => restart(RESET_SAFE));
}
