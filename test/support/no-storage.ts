import type { System } from "../../firmware/ports.ts";

/** Espruino's Storage and interpreter for a device that neither is deleted nor restarts. */
export const NO_STORAGE: Pick<System, "storage" | "interpreter"> = {
  storage: { read: () => undefined, write() {}, erase() {} },
  interpreter: { enableWatchdog() {}, kickWatchdog() {}, getErrorFlags: () => [], reboot() {} },
};
