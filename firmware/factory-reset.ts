import type { DeviceRecords } from "../protocol/cose/crypto.ts";
import { SETTINGS_FILE } from "./config.ts";
import type { ServiceState } from "./service-state.ts";

/** What an eraseAll that failed has left, the next call takes; a flash that fails three times is broken. */
const ERASE_ATTEMPTS = 3;

/**
 * Erases what makes the device this one, as `delete` does: its keys, counters, records
 * and queue first, the settings with the network's password last. Then it restarts.
 */
export function factoryReset(
  service: Pick<ServiceState, "log" | "system"> & { crypto: Pick<DeviceRecords, "eraseAll"> },
): void {
  service.log("factory reset: erasing keys and settings");
  let attempt = 0;
  while (attempt < ERASE_ATTEMPTS)
    try {
      attempt++;
      service.crypto.eraseAll();
      attempt = ERASE_ATTEMPTS;
    } catch (error) {
      service.log("factory reset, attempt " + attempt + ": " + (error as Error).message);
    }
  try {
    // Also where keys may be left: better one secret in flash than two.
    service.system.storage.erase(SETTINGS_FILE);
  } catch (error) {
    service.log("factory reset, settings: " + (error as Error).message);
  }
  service.system.interpreter.reboot();
}
