import { join } from "node:path";
import { createNodeCrypto } from "../../../cloud/crypto/node-crypto.ts";
import { initKeys, loadKeys } from "../../../cloud/keys/cloud-keys.ts";
import { createAccept } from "../../../cloud/receiver/accept.ts";
import { createSessionKeys } from "../../../cloud/receiver/session-keys.ts";
import { openSqliteStore } from "../../../cloud/store/sqlite.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { USAGE_ENCRYPT } from "../../../protocol/cose/crypto.ts";
import { RECEIPT_KEY_INFO, type Receipt, sealReceipt } from "../../../protocol/receipt.ts";
import type { DeviceSession } from "../../../protocol/session-message.ts";
import type { MessageClass } from "../../../protocol/topics.ts";
import { PREFIX, type TestDevice, wire } from "../../cloud/support/test-device.ts";

/** Unix seconds of everything that this cloud stores. */
export const STORED_AT = 1_800_000_000;

/** A cloud whose keys and database are files, as `coseflow inspect` finds them. */
export async function openKeptCloud(directory: string) {
  const crypto = createNodeCrypto();
  const keys = join(directory, "keys");
  const db = join(directory, "cloud.db");
  await initKeys(keys);
  const self = loadKeys(crypto, keys);
  const store = openSqliteStore(db);
  const sessionKeys = createSessionKeys(crypto, store, self.kek);
  const accept = createAccept({
    crypto,
    store,
    sessionKeys,
    self,
    older: self.older,
    prefix: PREFIX,
    now: () => STORED_AT,
  });

  return {
    keys,
    db,
    self,
    store,
    register: ({ kid, point, thumbprint }: TestDevice, name?: string) =>
      store.registerDevice({ kid, publicKey: point, thumbprint, name }, STORED_AT),
    send: (device: TestDevice, messageClass: MessageClass, message: Bytes) =>
      accept(device.topic(messageClass), wire(message)),

    /** A receipt as the cloud makes it for a session of the device. */
    makeReceipt(device: TestDevice, session: DeviceSession, receipt: Receipt): Bytes {
      const key = device.crypto.deriveKey(session.key, RECEIPT_KEY_INFO, USAGE_ENCRYPT);
      try {
        return sealReceipt(device.crypto, key, session.kid, device.thumbprint, receipt);
      } finally {
        device.crypto.destroyKey(key);
      }
    },

    close() {
      sessionKeys.close();
      return store.close();
    },
  };
}

export type KeptCloud = Awaited<ReturnType<typeof openKeptCloud>>;
