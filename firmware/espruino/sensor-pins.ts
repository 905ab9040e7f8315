import type { DigitalInput, OneWire as OneWirePort } from "../ports.ts";

export function openOneWire(pin: string): OneWirePort {
  return new OneWire(new Pin(pin));
}

export function openAnalogue(name: string): () => number {
  const pin = new Pin(name);
  return () => analogRead(pin);
}

/** On an ESP32 a watched pin is always pulled up. */
export function openInput(config: { pin: string; activeLow?: boolean }): DigitalInput {
  const pin = new Pin(config.pin);
  const level = config.activeLow ? 0 : 1;
  pinMode(pin, config.activeLow ? "input_pullup" : "input");
  return {
    isOn: () => digitalRead(pin) === level,
    watch(edge, debounceMs, changed) {
      const on = config.activeLow ? "falling" : "rising";
      setWatch(changed, pin, {
        repeat: true,
        edge: edge === "both" ? edge : on,
        debounce: debounceMs,
      });
    },
  };
}
