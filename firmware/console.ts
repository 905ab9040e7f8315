/**
 * What a person can type at the board's console. The answers are made of names and
 * numbers that are written down here, one by one: nothing that holds a password or a
 * key is ever walked through.
 */
import { RESET_CONSOLE, RESET_SAFE } from "./boot-guard.ts";
import { restart, type ServiceState } from "./service-state.ts";

/** The global object, where Espruino's console looks for names. */
export interface Scope {
  status?: () => object;
  rekey?: () => string;
  sendNow?: () => string;
  restart?: () => void;
  safe?: () => void;
}

const NOT_RUNNING = "not running: see status()";

export function exposeCommands(service: ServiceState, scope: Scope): void {
  scope.status = function () {
    const answer: { [name: string]: string | number } = {};
    const device = service.device;
    const system = service.system;

    // A name is an argument here: the bundle shortens properties of its own objects, and never text.
    function tell(name: string, value: string | number | undefined): void {
      if (value !== undefined) answer[name] = value;
    }

    tell("state", service.life.name());
    tell("uptime", Math.floor(service.clock.uptime()));
    if (device) {
      const delivery = device.delivery;
      const turn = device.turn;
      tell("kid", device.kid);
      tell("broker", turn.broker.host + ":" + turn.broker.port);
      if (delivery) {
        tell("time", delivery.time());
        tell("queue", delivery.queued());
        tell("drops", delivery.losses.readings);
        tell("sessions", delivery.sessions().length);
      }
      tell("reconnects", Math.max(0, turn.connects - 1));
      tell("refused", device.refused);
      tell("malformed", turn.malformed);
    }
    tell("variables", system.process.memory().free);
    tell("heap", system.esp32 && system.esp32.getState().freeHeap);
    tell("rssi", system.wifi && system.wifi.getStatus().rssi);
    tell("boots", service.boots);
    tell("reset", service.reason);
    tell("errors", service.errors);
    tell("lastError", service.lastError);
    return answer;
  };

  scope.rekey = function () {
    const delivery = service.device && service.device.delivery;
    if (!delivery) return NOT_RUNNING;
    return delivery.rekey()
      ? "new session opened"
      : "refused: the newest session has no receipt yet";
  };

  scope.sendNow = function () {
    const device = service.device;
    if (!device || !device.delivery) return NOT_RUNNING;
    device.samples.forEach(function (sample) {
      sample();
    });
    return "sensors asked";
  };

  scope.restart = () => restart(service, RESET_CONSOLE);
  scope.safe = () => restart(service, RESET_SAFE);
}
