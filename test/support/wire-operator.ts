/** Somebody who commands devices over a real broker: the operator's own parts, on a clock that runs fast. */
import { createNodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { loadProvisionerKey } from "../../cloud/keys/cloud-keys.ts";
import { deliver } from "../../cloud/operator/deliver.ts";
import { issueCommand } from "../../cloud/operator/issue.ts";
import { outcomeOf } from "../../cloud/operator/outcome.ts";
import { openSender } from "../../cloud/operator/sender.ts";
import { openSqliteStore } from "../../cloud/store/sqlite.ts";
import type { KnownDevice } from "../../cloud/store/store.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { TOPIC_PREFIX } from "../../protocol/topics.ts";

const LIFE_SECONDS = 7 * 86_400;
/** A device that looks at a signature each 10 s gets no more than it can look at. */
const TIMING = { pollMs: 20, resendMs: 1000 };

export interface WireOperator {
  /** Sends an update of the first sensor until the device has replied; whether it was carried out. */
  update(kid: Bytes, periodSeconds: number, timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}

export async function openWireOperator(
  broker: string,
  database: string,
  keys: string,
): Promise<WireOperator> {
  const crypto = createNodeCrypto();
  const store = openSqliteStore(database);
  const sender = await openSender({ url: broker });
  const provisioner = loadProvisionerKey(crypto, keys);
  const now = () => Math.floor(Date.now() / 1000);
  return {
    async update(kid, periodSeconds, timeoutMs) {
      const device = (await store.findDevice(kid)) as KnownDevice;
      const sensor = { sensor: 0, periodSeconds, qos: 1 as const, drop: "oldest" as const };
      const command = await issueCommand(
        { crypto, store, provisioner, now },
        {
          ...{ device, userId: "ann", action: "update", form: "sealed" },
          ...{ lifeSeconds: LIFE_SECONDS, update: { sensors: [sensor] } },
        },
      );
      const delivered = await deliver({
        ...{ store, sender, command, timeoutMs, timing: TIMING },
        ...{ prefix: TOPIC_PREFIX, stopped: new Promise(() => {}) },
      });
      return outcomeOf(delivered.command)?.isDone === true;
    },
    async close() {
      await sender.close();
      await store.close();
    },
  };
}
