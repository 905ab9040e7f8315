import type { Bytes } from "../../protocol/bytes.ts";
import type { KeyHandle } from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";

/** As many keys at a time as the C module holds. */
export const SLOTS = 16;
/** Handles stay below 2^31. A slot that has held this many keys retires: no stale handle names a later key. */
const GENERATION_LIMIT = 0x7fffff;

/** What a slot holds: a key of the node:crypto door, and what the device's module adds to it. */
export interface Entry {
  readonly key: KeyHandle;
  readonly usage: number;
  readonly kind: "content" | "pair" | "stored";
  /** Of an ENCRYPT_SEQUENCE key only. */
  readonly sequence?: SequenceState;
  /** Of a WRAP key: it has encrypted its one key. */
  wrapSpent?: boolean;
}

/** The numbers of an ENCRYPT_SEQUENCE key. */
export interface SequenceState {
  readonly baseIv: Bytes;
  /** The last number reserved; 0: none. */
  last: number;
  /** It is reserved and has not encrypted yet. */
  open: boolean;
}

export interface Slots {
  /** "key" when all slots are taken. */
  requireRoom(): void;
  /** The handle of the new entry: slot | generation << 8, never 0. */
  put(entry: Entry): KeyHandle;
  /** "key" when the handle names no key or its flags lack a bit of `usage`. */
  get(handle: KeyHandle, usage: number): Entry;
  remove(handle: KeyHandle): void;
  /** Empties every slot; the keys that were in them. */
  clear(): KeyHandle[];
}

interface Slot {
  generation: number;
  entry: Entry | undefined;
}

export function createSlots(): Slots {
  const slots: Slot[] = Array.from({ length: SLOTS }, () => ({ generation: 1, entry: undefined }));

  function claim(): number {
    const isFree = (slot: Slot) => slot.entry === undefined && slot.generation <= GENERATION_LIMIT;
    const index = slots.findIndex(isFree);
    return index >= 0 ? index : fail("key", `slots, expected one free, got all ${SLOTS} taken`);
  }

  function find(handle: KeyHandle): Slot & { entry: Entry } {
    const number = typeof handle === "number" ? (handle as number) : Number.NaN;
    const slot = slots[number & 0xff];
    // Compared as a whole: fractions and numbers above 2^31 name nothing either.
    if (slot?.entry === undefined || ((slot.generation << 8) | (number & 0xff)) !== number)
      return fail("key", `key, expected the handle of a live key, got ${typeof handle}`);
    return slot as Slot & { entry: Entry };
  }

  function release(slot: Slot): void {
    slot.entry = undefined;
    slot.generation++;
  }

  return {
    requireRoom() {
      claim();
    },
    put(entry) {
      const index = claim();
      const slot = slots[index] as Slot;
      slot.entry = entry;
      return ((slot.generation << 8) | index) as unknown as KeyHandle;
    },
    get(handle, usage) {
      const { entry } = find(handle);
      if ((entry.usage & usage) !== usage)
        fail("key", `key, expected usage ${usage}, got ${entry.usage}`);
      return entry;
    },
    remove(handle) {
      release(find(handle));
    },
    clear() {
      const live = slots.filter((slot) => slot.entry !== undefined);
      const keys = live.map((slot) => (slot.entry as Entry).key);
      live.forEach(release);
      return keys;
    },
  };
}
