/** A device's crypto module over memory that outlasts its power, with a point at every write. */
import { fromBuffer, toBuffer } from "../../../cloud/crypto/convert.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import {
  type DeviceCrypto,
  type DeviceSleep,
  type KeyHandle,
  USAGE_DERIVE,
  USAGE_SIGN,
} from "../../../protocol/cose/crypto.ts";
import { fail } from "../../../protocol/errors.ts";
import { checkArguments } from "../../../simulator/devcrypto/arguments.ts";
import { blankFlash, openLog } from "../../../simulator/devcrypto/ring-log.ts";
import { RESET_POWERON } from "../../../simulator/devcrypto/sleep.ts";
import type { Power } from "./power.ts";

/** A key of the device's own, under an id. */
interface StoredKey {
  counter: number;
  key: KeyHandle;
}

/** What is in flash. */
export interface DeviceMemory {
  keys: Map<string, StoredKey>;
  hadKey: boolean;
  /** Of the first key. */
  counter: number;
  records: Map<string, Bytes>;
  ring: Buffer;
  /** Not flash: what deep sleep keeps, and a cut does not. */
  kept: KeyHandle | undefined;
  /** Why the power cycle at hand began. */
  resetReason: number;
}

const DEVICE_ID = "device";

export function createDeviceMemory(): DeviceMemory {
  const keys = new Map<string, StoredKey>();
  return {
    keys,
    hadKey: false,
    get counter() {
      return keys.get(DEVICE_ID)?.counter ?? 0;
    },
    set counter(value) {
      const stored = keys.get(DEVICE_ID);
      if (stored) stored.counter = value;
    },
    records: new Map(),
    ring: blankFlash(),
    kept: undefined,
    resetReason: RESET_POWERON,
  };
}

/** The module as one boot has it. */
export interface MemoryCrypto extends DeviceCrypto {
  /** Wipes the keys of this boot. */
  wipe(): void;
}

const PAIR = USAGE_SIGN | USAGE_DERIVE;

function eraseStored(base: DeviceCrypto, memory: DeviceMemory, id: string): void {
  const stored = memory.keys.get(id);
  memory.keys.delete(id);
  if (stored && stored.key !== base.openDeviceKey()) base.destroyKey(stored.key);
}

/** Erases all its keys; a life that is over must do so, for `base` has room for few. */
export function wipeMemory(base: DeviceCrypto, memory: DeviceMemory): void {
  for (const id of [...memory.keys.keys()]) eraseStored(base, memory, id);
}

/** Draws of this length or less decide on waiting times and packet ids, and on no secret. */
const DICE_LENGTH = 2;

/**
 * `base` does the cryptography and keeps volatile keys, for one device after the other. `dice`
 * makes the same run of the same draws.
 */
export function openMemoryCrypto(
  base: DeviceCrypto,
  memory: DeviceMemory,
  power: Power,
  dice: () => number,
): MemoryCrypto {
  const live = new Set<KeyHandle>();
  let ring: ReturnType<typeof openLog> | undefined;

  function track(key: KeyHandle): KeyHandle {
    live.add(key);
    return key;
  }

  /** The first use reads the flash; a cut write has changed it up to a byte. */
  function openRing() {
    ring ??= openLog(Buffer.from(memory.ring), (at, content) => {
      content.copy(memory.ring, at, 0, power.passBytes(content.length));
      power.check();
    });
    return ring;
  }

  /** The first one is the same in every life, so that a test knows its name. */
  function makeKey(): KeyHandle {
    if (memory.hadKey) return base.generateKeyPair(PAIR);
    memory.hadKey = true;
    return base.openDeviceKey();
  }

  function openKey(id: string): KeyHandle {
    const known = memory.keys.get(id);
    if (!known) power.pass();
    const key = known?.key ?? makeKey();
    memory.keys.set(id, known ?? { counter: 0, key });
    power.pass();
    return key;
  }

  function nextCounter(id: string): number {
    const stored = memory.keys.get(id);
    if (!stored) return fail("key", "key, expected one that is open, got none");
    power.pass();
    stored.counter++;
    power.pass();
    return stored.counter;
  }

  const stored: Partial<DeviceCrypto> = {
    openKey,
    nextCounter,
    openDeviceKey: () => openKey(DEVICE_ID),
    nextDeviceCounter: () => nextCounter(DEVICE_ID),
    hasKey: (id) => memory.keys.has(id),
    moveCounter(id, counter) {
      const stored = memory.keys.get(id);
      power.pass();
      if (stored) stored.counter = Math.max(stored.counter, counter);
      power.pass();
    },
    eraseKey(id) {
      power.pass();
      eraseStored(base, memory, id);
      power.pass();
    },
    writeRecord(id, content) {
      power.pass();
      memory.records.set(id, content);
      power.pass();
    },
    readRecord: (id) => memory.records.get(id),
    eraseRecord(id) {
      power.pass();
      memory.records.delete(id);
      power.pass();
    },
    eraseAll() {
      power.pass();
      wipeMemory(base, memory);
      power.pass();
      for (const id of memory.records.keys()) {
        memory.records.delete(id);
        power.pass();
      }
      blankFlash().copy(memory.ring);
      ring = undefined;
      power.pass();
    },
    ringAppend(entry) {
      if (entry.length === 0) fail("argument", "entry, expected at least 1 byte, got none");
      return openRing().append(toBuffer(entry, "entry"));
    },
    ringPeek(index) {
      const entry = openRing().peek(index);
      return entry && fromBuffer(entry);
    },
    ringDrop: (count) => openRing().drop(count),
    ringCount: () => openRing().count(),
  };

  const sleep: DeviceSleep = {
    keepSession(key) {
      power.pass();
      if (!live.delete(key)) fail("key", "key, expected one of this boot, got another");
      memory.kept = key;
      power.pass();
    },
    resumeSession() {
      power.pass();
      const key = memory.kept && track(memory.kept);
      memory.kept = undefined;
      power.pass();
      return key;
    },
    resetReason: () => memory.resetReason,
  };

  const volatile: Partial<DeviceCrypto> = {
    generateRandom: (length) =>
      length > DICE_LENGTH
        ? base.generateRandom(length)
        : fromBuffer(Buffer.from(Array.from({ length }, dice))),
    generateKey: (usage) => track(base.generateKey(usage)),
    deriveKey: (key, info, usage) => track(base.deriveKey(key, info, usage)),
    destroyKey(key) {
      base.destroyKey(key);
      live.delete(key);
    },
  };

  const functions: Record<string, unknown> = { ...base, ...stored, ...sleep, ...volatile };
  const guarded = Object.entries(functions).map(([name, run]) => [
    name,
    (...values: unknown[]) => {
      power.check();
      checkArguments(name, values);
      return (run as (...values: unknown[]) => unknown)(...values);
    },
  ]);
  return {
    ...(Object.fromEntries(guarded) as DeviceCrypto),
    wipe() {
      for (const key of live) base.destroyKey(key);
      live.clear();
    },
  };
}
