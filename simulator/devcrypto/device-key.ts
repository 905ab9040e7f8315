import { createECDH } from "node:crypto";
import type { NodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { P256 } from "../../cloud/crypto/primitives.ts";
import {
  type DeviceCrypto,
  type KeyHandle,
  USAGE_DERIVE,
  USAGE_SIGN,
} from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import type { DeviceRecord } from "./record.ts";
import type { RecordStore } from "./record-store.ts";
import type { Slots } from "./slots.ts";

const SCALAR_SIZE = 32;
/** RFC 5915 around the scalar and the point: version 1; [0] prime256v1, [1] bit string. */
const SEC1_HEAD = Buffer.from("30770201010420", "hex");
const SEC1_MIDDLE = Buffer.from("a00a06082a8648ce3d030107a144034200", "hex");

type DeviceKey = Pick<DeviceCrypto, "openDeviceKey" | "nextDeviceCounter">;

/** The device's own key and counter, over its records. */
export function createDeviceKey(crypto: NodeCrypto, slots: Slots, store: RecordStore): DeviceKey {
  let handle: KeyHandle | undefined;

  return {
    openDeviceKey() {
      if (handle !== undefined) return handle;
      slots.requireRoom();
      const key = importRecord(crypto, store.load() ?? makeRecord(store));
      handle = slots.put({ key, usage: USAGE_SIGN | USAGE_DERIVE, kind: "device" });
      return handle;
    },

    nextDeviceCounter() {
      if (handle === undefined) return fail("key", "device key, expected it open, got none");
      slots.get(handle, USAGE_SIGN);
      return store.nextCounter();
    },
  };
}

function makeRecord(store: RecordStore): DeviceRecord {
  const pair = createECDH(P256);
  const publicKey = pair.generateKeys();
  const scalar = pair.getPrivateKey();
  // node:crypto leaves leading zeros out.
  const secret = Buffer.concat([Buffer.alloc(SCALAR_SIZE - scalar.length), scalar]);
  return store.create(secret, publicKey);
}

/** A valid record whose halves do not belong together is damaged all the same. */
function importRecord(crypto: NodeCrypto, record: DeviceRecord): KeyHandle {
  const { secret, publicKey } = record;
  const key = tryImport(crypto, Buffer.concat([SEC1_HEAD, secret, SEC1_MIDDLE, publicKey]));
  if (key === undefined || crypto.exportPublicKey(key) !== publicKey.toString("latin1"))
    return fail("store", "device record, expected a P-256 pair, got another secret or point");
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
