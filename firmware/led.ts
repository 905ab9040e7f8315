import { type ServiceState, stateOf } from "./service-state.ts";

/** A start that is under way is lit, and asked for again this often. */
const LIT_MS = 500;

/** Shows the state on the LED, by one timer, for ever. */
export function startLed(service: ServiceState, light: (on: boolean) => void): void {
  let dark = 0;

  function step(): void {
    const on = dark === 0;
    const now = stateOf(service);
    let lit = LIT_MS;
    let next = 0;
    if (now === "safe") {
      lit = 100;
      next = 100;
    } else if (now === "network") {
      lit = 1000;
      next = 1000;
    } else if (now === "opening") {
      lit = 100;
      next = 900;
    } else if (now === "streaming") {
      lit = 30;
      next = 4970;
    }
    light(on);
    service.clock.setTimeout(step, on ? lit : dark);
    dark = on ? next : 0;
  }

  step();
}
