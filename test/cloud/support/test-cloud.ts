import { join } from "node:path";
import type { RegistrarKeys } from "../../../cloud/keys/cloud-keys.ts";
import { createAccept } from "../../../cloud/receiver/accept.ts";
import type { AcceptContext } from "../../../cloud/receiver/accept-context.ts";
import { createSessionKeys } from "../../../cloud/receiver/session-keys.ts";
import { openSqliteStore } from "../../../cloud/store/sqlite.ts";
import type { Store } from "../../../cloud/store/store.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import type { MessageClass } from "../../../protocol/topics.ts";
import { makeParty, nodeCrypto, type Party } from "../../support/parties.ts";
import { PREFIX, type TestDevice, wire } from "./test-device.ts";

const KEK = nodeCrypto.importKek("k".repeat(32) as Bytes);

/**
 * The receiving side over a real database, without a broker; `now` is the test's clock,
 * `older` the keys that it had before. Without a registrar devices cannot enrol.
 */
export function openTestCloud(
  directory: string,
  change: (store: Store) => Store = (same) => same,
  older: Party[] = [],
  registrar?: RegistrarKeys,
) {
  const self = makeParty();
  const clock = { now: 1_800_000_000 };
  const path = join(directory, "cloud.db");
  const store = change(openSqliteStore(path));
  const context: AcceptContext = {
    crypto: nodeCrypto,
    store,
    sessionKeys: createSessionKeys(nodeCrypto, store, KEK, 4),
    self,
    older,
    registrar,
    prefix: PREFIX,
    now: () => clock.now,
  };
  const accept = createAccept(context);

  return {
    context,
    store,
    self,
    clock,
    path,
    accept,

    register: (device: TestDevice, name?: string) =>
      store.registerDevice(
        { kid: device.kid, publicKey: device.point, thumbprint: device.thumbprint, name },
        clock.now,
      ),

    send: (device: TestDevice, messageClass: MessageClass, message: Bytes) =>
      accept(device.topic(messageClass), wire(message)),

    close() {
      context.sessionKeys.close();
      return store.close();
    },
  };
}

export type TestCloud = ReturnType<typeof openTestCloud>;
