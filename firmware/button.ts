import { RESET_SAFE } from "./boot-guard.ts";
import { factoryReset } from "./factory-reset.ts";
import { SAFE } from "./life.ts";
import type { ButtonInput } from "./ports.ts";
import { restart, type ServiceState } from "./service-state.ts";

/** A contact has stopped bouncing after this; a finger is slower. */
const DEBOUNCE_MS = 50;
/** Long enough that nobody leans on it by chance. */
const RESET_HOLD_SECONDS = 10;
/**
 * A press that begins this soon after the start counts as "held at boot": where the button is
 * a strapping pin (GPIO9 of an ESP32-C3) nobody can hold it over a reset, since the chip's
 * loader waits for a new image then.
 */
const EARLY_SECONDS = 5;
const EARLY_HOLD_SECONDS = 2;

/**
 * Watches the button from now on. `begin` is told once whether it was held at boot, at once
 * where it was not. A press that began before this call counts for nothing else until it has
 * ended: who holds the button at boot wants safe mode and no more.
 */
export function startButton(
  service: ServiceState,
  button: ButtonInput,
  begin: (held: boolean) => void,
): void {
  const clock = service.clock;
  let down = button.isPressed();
  let early = false;
  let timer = 0;

  function held(): void {
    // A release that the interrupt missed is seen here.
    if (!button.isPressed()) return;
    if (early) restart(service, RESET_SAFE);
    else factoryReset(service);
  }

  button.watch(DEBOUNCE_MS, function () {
    const pressed = button.isPressed();
    if (pressed === down) return;
    down = pressed;
    clock.clearTimeout(timer);
    if (!pressed) return;
    // From safe mode only a long hold leads further.
    early = clock.uptime() < EARLY_SECONDS && service.life.state() !== SAFE;
    timer = clock.setTimeout(held, (early ? EARLY_HOLD_SECONDS : RESET_HOLD_SECONDS) * 1000);
  });
  if (down) clock.setTimeout(() => begin(button.isPressed()), DEBOUNCE_MS);
  else begin(false);
}
