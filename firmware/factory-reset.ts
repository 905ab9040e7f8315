import type { DeviceRecords } from "../protocol/cose/crypto.ts";
import { SETTINGS_FILE } from "./config.ts";
import type { Log } from "./ports.ts";
import type { ServiceState } from "./service-state.ts";

/** What an eraseAll that failed has left, the next call takes; a flash that fails three times is broken. */
const ERASE_ATTEMPTS = 3;

/** All that the C module stores; false where something may be left. */
export function eraseStore(crypto: Pick<DeviceRecords, "eraseAll">, log: Log): boolean {
  for (let attempt = 1; attempt <= ERASE_ATTEMPTS; attempt++)
    try {
      crypto.eraseAll();
      return true;
    } catch (error) {
      log("erasing keys, attempt " + attempt + ": " + (error as Error).message);
    }
  return false;
}

/**
 * Erases what makes the device this one, as `delete` does: its keys, counters, records
 * and queue first, the settings with the network's password last. Then it restarts.
 */
export function factoryReset(
  service: Pick<ServiceState, "log"> & {
    crypto: Pick<DeviceRecords, "eraseAll">;
    system: Pick<ServiceState["system"], "storage" | "interpreter">;
  },
): void {
  service.log("factory reset: erasing keys and settings");
  eraseStore(service.crypto, service.log);
  try {
    // Also where keys may be left: better one secret in flash than two.
    service.system.storage.erase(SETTINGS_FILE);
  } catch (error) {
    service.log("factory reset, settings: " + (error as Error).message);
  }
  service.system.interpreter.reboot();
}
