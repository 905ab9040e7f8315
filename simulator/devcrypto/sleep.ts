import type { NodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { type DeviceSleep, USAGE_ENCRYPT_SEQUENCE } from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import type { Entry, Slots } from "./slots.ts";

/** Reasons of a start, of ESP-IDF's esp_reset_reason_t. */
export const RESET_POWERON = 1;
export const RESET_SW = 3;
export const RESET_DEEPSLEEP = 8;

/**
 * Memory of a simulated chip that outlasts deep sleep: whoever plays the chip hands it from one
 * power cycle to the next, and a new one after every other reset.
 */
export interface SleepMemory {
  /** Why the power cycle at hand began. What is kept counts after a wake from deep sleep alone. */
  resetReason: number;
  kept: Entry | undefined;
}

export function createSleepMemory(resetReason = RESET_POWERON): SleepMemory {
  return { resetReason, kept: undefined };
}

/** Without memory it is a computer's, which does not sleep deeply: as the C module's port for it. */
export function createSleep(
  crypto: NodeCrypto,
  slots: Slots,
  memory: SleepMemory | undefined,
): DeviceSleep & { forgetKept(): void } {
  function requireMemory(): SleepMemory {
    return memory ?? fail("unsupported", "port, expected it to know deep sleep, got one without");
  }

  function forgetKept(): void {
    if (memory?.kept !== undefined) crypto.destroyKey(memory.kept.key);
    if (memory !== undefined) memory.kept = undefined;
  }

  return {
    keepSession(handle) {
      const place = requireMemory();
      const entry = slots.get(handle, USAGE_ENCRYPT_SEQUENCE);
      forgetKept();
      place.kept = entry;
      slots.remove(handle);
      // A number that was reserved is given up.
      if (entry.sequence !== undefined) entry.sequence.open = false;
    },

    resumeSession() {
      const place = requireMemory();
      // First: without a slot, what is kept must not be lost.
      slots.requireRoom();
      const { kept } = place;
      const woke = place.resetReason === RESET_DEEPSLEEP;
      if (!woke) forgetKept();
      place.kept = undefined;
      return kept !== undefined && woke ? slots.put(kept) : undefined;
    },

    resetReason: () => memory?.resetReason ?? 0,
    forgetKept,
  };
}
