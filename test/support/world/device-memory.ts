/** A device's crypto module over memory that outlasts its power, with a point at every write. */
import { fromBuffer, toBuffer } from "../../../cloud/crypto/convert.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import type { DeviceCrypto, KeyHandle } from "../../../protocol/cose/crypto.ts";
import { fail } from "../../../protocol/errors.ts";
import { checkArguments } from "../../../simulator/devcrypto/arguments.ts";
import { blankFlash, openLog } from "../../../simulator/devcrypto/ring-log.ts";
import type { Power } from "./power.ts";

/** What is in flash. */
export interface DeviceMemory {
  hasKey: boolean;
  counter: number;
  records: Map<string, Bytes>;
  ring: Buffer;
}

export function createDeviceMemory(): DeviceMemory {
  return { hasKey: false, counter: 0, records: new Map(), ring: blankFlash() };
}

/** The module as one boot has it. */
export interface MemoryCrypto extends DeviceCrypto {
  /** Wipes the keys of this boot. */
  wipe(): void;
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

  const stored: Partial<DeviceCrypto> = {
    openDeviceKey() {
      if (!memory.hasKey) power.pass();
      memory.hasKey = true;
      power.pass();
      return base.openDeviceKey();
    },
    nextDeviceCounter() {
      power.pass();
      memory.counter++;
      power.pass();
      return memory.counter;
    },
    moveCounter(_id, counter) {
      power.pass();
      memory.counter = Math.max(memory.counter, counter);
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
      memory.hasKey = false;
      memory.counter = 0;
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

  const functions: Record<string, unknown> = { ...base, ...stored, ...volatile };
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
