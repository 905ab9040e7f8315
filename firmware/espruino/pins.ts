import type { PinConfig } from "../config.ts";
import type { ButtonInput } from "../ports.ts";

export function openLed(config: PinConfig): (on: boolean) => void {
  const pin = new Pin(config.pin);
  return (on) => digitalWrite(pin, on !== (config.activeLow === true));
}

/**
 * A watch costs one interrupt and one entry of the event queue for an edge, and nothing while
 * the button rests; asking the pin ten times a second would wake the interpreter each time.
 * On an ESP32 a watched pin is always pulled up, so a button to the supply needs a strong
 * pull-down of its own.
 */
export function openButton(config: PinConfig): ButtonInput {
  const pin = new Pin(config.pin);
  const level = config.activeLow ? 0 : 1;
  pinMode(pin, config.activeLow ? "input_pullup" : "input");
  return {
    isPressed: () => digitalRead(pin) === level,
    watch(debounceMs, changed) {
      setWatch(changed, pin, { repeat: true, edge: "both", debounce: debounceMs });
    },
  };
}
