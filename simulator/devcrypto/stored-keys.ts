import { createECDH } from "node:crypto";
import type { NodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { P256 } from "../../cloud/crypto/primitives.ts";
import {
  type DeviceCrypto,
  type DeviceKeys,
  type KeyHandle,
  USAGE_DERIVE,
  USAGE_SIGN,
} from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import { type KeyRecords, openKeyRecords } from "./key-records.ts";
import { checkCounter, checkId } from "./limits.ts";
import type { KeyRecord } from "./record.ts";
import type { Slots } from "./slots.ts";

const SCALAR_SIZE = 32;
/** RFC 5915 around the scalar and the point: version 1; [0] prime256v1, [1] bit string. */
const SEC1_HEAD = Buffer.from("30770201010420", "hex");
const SEC1_MIDDLE = Buffer.from("a00a06082a8648ce3d030107a144034200", "hex");

/** As many stored keys at a time as the C module keeps open. */
const OPEN_LIMIT = 4;
const DEVICE_ID = "device";

export type StoredKeys = DeviceKeys &
  Pick<DeviceCrypto, "openDeviceKey" | "nextDeviceCounter"> & {
    /** Lets go of every key, once their slots are emptied. */
    forget(): void;
  };

/** The keys of a directory, the device's own among them, and volatile pairs. */
export function createStoredKeys(crypto: NodeCrypto, slots: Slots, directory: string): StoredKeys {
  const opened = new Map<string, { handle: KeyHandle; records: KeyRecords }>();

  function openKey(id: string): KeyHandle {
    const known = opened.get(checkId(id));
    if (known !== undefined) return known.handle;
    if (opened.size >= OPEN_LIMIT)
      fail("key", `stored keys, expected at most ${OPEN_LIMIT} open, got one more`);
    slots.requireRoom();
    const records = openKeyRecords(directory, id);
    const key = importRecord(crypto, records.load() ?? makeRecord(records));
    const handle = slots.put({ key, usage: USAGE_SIGN | USAGE_DERIVE, kind: "stored" });
    opened.set(id, { handle, records });
    return handle;
  }

  function recordsOf(id: string): KeyRecords {
    const known = opened.get(checkId(id));
    if (known === undefined) return fail("key", `key "${id}", expected it open, got none`);
    slots.get(known.handle, USAGE_SIGN);
    return known.records;
  }

  const nextCounter = (id: string): number => recordsOf(id).nextCounter();

  return {
    generateKeyPair(usage) {
      const sec1 = toSec1(makePair());
      const key = crypto.importPrivateKey(sec1, usage);
      sec1.fill(0);
      return slots.put({ key, usage, kind: "pair" });
    },

    openKey,
    nextCounter,
    moveCounter: (id, counter) => recordsOf(id).moveCounter(checkCounter(counter)),
    hasKey: (id) => openKeyRecords(directory, checkId(id)).exists(),

    eraseKey(id) {
      const known = opened.get(checkId(id));
      opened.delete(id);
      if (known !== undefined) {
        const { key } = slots.get(known.handle, 0);
        slots.remove(known.handle);
        crypto.destroyKey(key);
      }
      openKeyRecords(directory, id).erase();
    },

    openDeviceKey: () => openKey(DEVICE_ID),
    nextDeviceCounter: () => nextCounter(DEVICE_ID),
    forget: () => opened.clear(),
  };
}

interface Pair {
  secret: Buffer;
  publicKey: Buffer;
}

function makePair(): Pair {
  const pair = createECDH(P256);
  const publicKey = pair.generateKeys();
  const scalar = pair.getPrivateKey();
  // node:crypto leaves leading zeros out.
  const secret = Buffer.concat([Buffer.alloc(SCALAR_SIZE - scalar.length), scalar]);
  return { secret, publicKey };
}

function makeRecord(records: KeyRecords): KeyRecord {
  const { secret, publicKey } = makePair();
  return records.create(secret, publicKey);
}

function toSec1({ secret, publicKey }: Pair): Buffer {
  return Buffer.concat([SEC1_HEAD, secret, SEC1_MIDDLE, publicKey]);
}

/** A valid record whose halves do not belong together is damaged all the same. */
function importRecord(crypto: NodeCrypto, record: KeyRecord): KeyHandle {
  const key = tryImport(crypto, toSec1(record));
  if (key === undefined || crypto.exportPublicKey(key) !== record.publicKey.toString("latin1"))
    return fail("store", "key record, expected a P-256 pair, got another secret or point");
  return key;
}

function tryImport(crypto: NodeCrypto, sec1: Buffer): KeyHandle | undefined {
  try {
    return crypto.importPrivateKey(sec1, USAGE_SIGN | USAGE_DERIVE);
  } catch {
    return undefined;
  } finally {
    sec1.fill(0);
  }
}
