/** The cloud's own acceptors and receipts over a database in memory, in virtual time. */
import Database from "better-sqlite3";
import { createAccept } from "../../../cloud/receiver/accept.ts";
import {
  addMessage,
  addReading,
  emptyList,
  isFull,
  toReceipt,
} from "../../../cloud/receiver/receipt-list.ts";
import { RECEIPT_DELAY_MS } from "../../../cloud/receiver/receipts.ts";
import { createSessionKeys } from "../../../cloud/receiver/session-keys.ts";
import { parsePublicKey, registerDevice } from "../../../cloud/registry.ts";
import { MIGRATIONS } from "../../../cloud/store/migrations.ts";
import { deviceTable } from "../../../cloud/store/sqlite-device.ts";
import { eventTable } from "../../../cloud/store/sqlite-event.ts";
import { keyCheckTable } from "../../../cloud/store/sqlite-key-check.ts";
import { readingTables } from "../../../cloud/store/sqlite-reading.ts";
import { refusalTable } from "../../../cloud/store/sqlite-refusal.ts";
import { sessionTable } from "../../../cloud/store/sqlite-session.ts";
import { signedTable } from "../../../cloud/store/sqlite-signed.ts";
import type { Device, Reading } from "../../../cloud/store/store.ts";
import { type Bytes, toHex } from "../../../protocol/bytes.ts";
import { MAX_RECEIPTS, sealReceipt } from "../../../protocol/receipt.ts";
import { TOPIC_PREFIX, topicOf } from "../../../protocol/topics.ts";
import { toBinary } from "../cbor-oracle.ts";
import { readCloud } from "../history/cloud-rows.ts";
import type { CloudContent } from "../history.ts";
import { makeParty, nodeCrypto } from "../parties.ts";
import type { Scheduler } from "./scheduler.ts";

/** The day on which every world begins, Unix seconds. */
const FIRST_DAY = 1_800_000_000;

const KEK = Buffer.alloc(32, "k");
const kek = nodeCrypto.importKek(KEK.toString("latin1") as Bytes);
const self = makeParty();
export const CLOUD_PUBLIC_KEY = toHex(self.publicKey);

export interface MemoryCloudOptions {
  scheduler: Scheduler;
  /** To the broker. */
  publish(topic: string, payload: Buffer): void;
  onStored(reading: Reading): void;
}

function openStore(database: Database.Database) {
  for (const step of MIGRATIONS) database.exec(step);
  const { finish, ...refusals } = refusalTable(database);
  const signed = signedTable(database);
  return {
    ...keyCheckTable(database),
    ...deviceTable(database),
    hasSigned: signed.hasSigned,
    ...sessionTable(database, signed),
    ...eventTable(database, signed),
    ...readingTables(database),
    ...refusals,
    async close() {
      finish();
      database.close();
    },
  };
}

export function createMemoryCloud({ scheduler, publish, onStored }: MemoryCloudOptions) {
  const database = new Database(":memory:");
  const store = openStore(database);
  const sessionKeys = createSessionKeys(nodeCrypto, store, kek, 8);
  /** Seconds that the cloud's clock is wrong. */
  let clockError = 0;
  const now = () => FIRST_DAY + Math.floor(scheduler.now()) + clockError;
  const context = { crypto: nodeCrypto, store, sessionKeys, self, prefix: TOPIC_PREFIX, now };
  const accept = createAccept(context);
  let list = emptyList();
  let isTelling = false;

  async function tell(device: Device): Promise<void> {
    isTelling = false;
    if (list.messages.size + list.readings.size === 0) return;
    const row = await store.takeReceipt(device.kid, MAX_RECEIPTS);
    if (!row) return;
    const { receiptKey, kid } = sessionKeys.open(device, row);
    const receipt = toReceipt(list, now());
    list = emptyList();
    const message = sealReceipt(nodeCrypto, receiptKey, kid, device.thumbprint, receipt);
    publish(topicOf(TOPIC_PREFIX, device.kid, "receipt"), toBinary(message));
  }

  return {
    /** Of one device: its receipts are gathered together. */
    async take(topic: string, payload: Buffer, qos: number): Promise<void> {
      const outcome = await accept(topic, payload);
      if (outcome.kind === "session" || outcome.kind === "event") {
        addMessage(list, outcome.hash);
        await tell(outcome.device);
      } else if (outcome.kind === "reading") {
        if (!outcome.repeat) onStored(outcome.reading);
        if (qos === 0) return;
        addReading(list, outcome.reading.session, outcome.reading.sequence);
        if (isFull(list)) await tell(outcome.device);
        else if (!isTelling) {
          isTelling = true;
          scheduler.at(RECEIPT_DELAY_MS, () => tell(outcome.device));
        }
      }
    },
    async register(publicKey: string): Promise<void> {
      await registerDevice(context, parsePublicKey(publicKey));
    },
    setClockError(seconds: number): void {
      clockError = seconds;
    },
    async content(thumbprint: Buffer): Promise<CloudContent> {
      await store.counts();
      return readCloud(database, KEK, thumbprint);
    },
    async close(): Promise<void> {
      sessionKeys.close();
      await store.close();
    },
  };
}

export type MemoryCloud = ReturnType<typeof createMemoryCloud>;
