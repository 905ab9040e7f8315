import type { Realm } from "./realm.ts";

/** About what an ESP32-C3 has left beside Espruino; its use is not simulated. */
const freeHeap = 120_000;

/** `ESP32`: what a chip of that family knows of itself. */
export function defineEsp32(
  realm: Realm,
  chip: { wakeupCause: number; reset: () => void; sleep: (microseconds: number) => void },
): void {
  const members = {
    getWakeupCause: () => chip.wakeupCause,
    getState: () =>
      realm.object({ sdkVersion: "v4.4", freeHeap, BLE: false, Wifi: true, minHeap: freeHeap }),
    // The interpreter takes a signed integer of 32 bits.
    deepSleep: (microseconds: unknown) => chip.sleep(Number(microseconds) | 0),
    reboot: chip.reset,
  };
  realm.define("ESP32", realm.object(members));
}
