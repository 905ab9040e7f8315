import type { NodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { type DeviceSleep, USAGE_ENCRYPT_SEQUENCE } from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import type { Entry, Slots } from "./slots.ts";

/**
 * Memory of a simulated chip that outlasts deep sleep: whoever plays the chip hands it from one
 * power cycle to the next, and a new one after every other reset.
 */
export interface SleepMemory {
  /** The power cycle at hand began with a wake from deep sleep. */
  woke: boolean;
  kept: Entry | undefined;
}

export function createSleepMemory(): SleepMemory {
  return { woke: false, kept: undefined };
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
      if (!place.woke) forgetKept();
      place.kept = undefined;
      return kept !== undefined && place.woke ? slots.put(kept) : undefined;
    },
    forgetKept,
  };
}
