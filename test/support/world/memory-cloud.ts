/** The cloud's own acceptors and receipts over a database in memory, in virtual time. */
import Database from "better-sqlite3";
import { createAccept } from "../../../cloud/receiver/accept.ts";
import type { SignedMessage } from "../../../cloud/receiver/accept-signed.ts";
import {
  addMessage,
  addReading,
  emptyList,
  isFull,
  type ReceiptList,
  toReceipt,
} from "../../../cloud/receiver/receipt-list.ts";
import { RECEIPT_DELAY_MS } from "../../../cloud/receiver/receipts.ts";
import { createSessionKeys } from "../../../cloud/receiver/session-keys.ts";
import { parsePublicKey, registerDevice } from "../../../cloud/registry.ts";
import { MIGRATIONS } from "../../../cloud/store/migrations.ts";
import { storeOf } from "../../../cloud/store/sqlite.ts";
import type { Device, Reading } from "../../../cloud/store/store.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { MAX_RECEIPTS, sealReceipt } from "../../../protocol/receipt.ts";
import { parseSenml, type SenmlRecord } from "../../../protocol/senml.ts";
import {
  CLASSES,
  type MessageClass,
  parseTopic,
  TOPIC_PREFIX,
  topicOf,
} from "../../../protocol/topics.ts";
import { toBinary } from "../cbor-oracle.ts";
import { readCloud } from "../history/cloud-rows.ts";
import type { CloudContent } from "../history.ts";
import { makeParty, nodeCrypto } from "../parties.ts";
import { makeTrust, provisioningOf } from "../trust.ts";
import type { WorldAuthority } from "./authority.ts";
import type { Scheduler } from "./scheduler.ts";

/** The day on which every world begins, Unix seconds. */
export const FIRST_DAY = 1_800_000_000;

const KEK = Buffer.alloc(32, "k");
const kek = nodeCrypto.importKek(KEK.toString("latin1") as Bytes);
const self = makeParty();
export const TRUST = provisioningOf(await makeTrust(self.publicKey, FIRST_DAY));

export interface MemoryCloudOptions {
  scheduler: Scheduler;
  /** To the broker. */
  publish(topic: string, payload: Buffer): void;
  onStored(reading: Reading): void;
  /** With a registrar, and somebody who commands. */
  authority?: WorldAuthority | undefined;
}

export function createMemoryCloud(options: MemoryCloudOptions) {
  const { scheduler, publish, onStored, authority } = options;
  const database = new Database(":memory:");
  for (const step of MIGRATIONS) database.exec(step);
  const store = storeOf(database);
  const sessionKeys = createSessionKeys(nodeCrypto, store, kek, 8);
  /** Seconds that the cloud's clock is wrong. */
  let clockError = 0;
  /** What it takes without storing it. */
  let deafTo: MessageClass[] = [];
  const now = () => FIRST_DAY + Math.floor(scheduler.now()) + clockError;
  const context = {
    crypto: nodeCrypto,
    store,
    sessionKeys,
    self: authority?.cloud ?? self,
    older: [],
    registrar: authority?.registrar,
    prefix: TOPIC_PREFIX,
    now,
  };
  const accept = createAccept(context);
  /** What is still to be told, by key id. */
  const lists = new Map<Bytes, ReceiptList>();
  const isTelling = new Set<Bytes>();

  function listOf({ kid }: Device): ReceiptList {
    const list = lists.get(kid) ?? emptyList();
    lists.set(kid, list);
    return list;
  }

  async function tell(device: Device): Promise<void> {
    isTelling.delete(device.kid);
    const list = listOf(device);
    if (list.messages.size + list.readings.size === 0) return;
    const row = await store.takeReceipt(device.kid, MAX_RECEIPTS);
    if (!row) return;
    const { receiptKey, kid } = sessionKeys.open(device, row);
    const receipt = toReceipt(list, now());
    lists.delete(device.kid);
    const message = sealReceipt(nodeCrypto, receiptKey, kid, device.thumbprint, receipt);
    publish(topicOf(TOPIC_PREFIX, device.kid, "receipt"), toBinary(message));
  }

  function tellEnrolled(kid: Bytes, message: Bytes): void {
    publish(topicOf(TOPIC_PREFIX, kid, "enrolled"), toBinary(message));
  }

  async function tellSigned({ device, hash }: SignedMessage): Promise<void> {
    addMessage(listOf(device), hash);
    await tell(device);
  }

  return {
    store,
    context,
    /** The receipts of a device are gathered together. */
    async take(topic: string, payload: Buffer, qos: number): Promise<void> {
      if (deafTo.includes(parseTopic(TOPIC_PREFIX, topic).messageClass)) return;
      const outcome = await accept(topic, payload);
      if (outcome.kind === "enrol") tellEnrolled(outcome.device.kid, outcome.enrolled);
      else if (outcome.kind === "reply") {
        const { enrolled, isReceipted } = outcome;
        if (enrolled) tellEnrolled(enrolled.to, enrolled.message);
        if (isReceipted) await tellSigned(outcome);
      } else if (outcome.kind === "session" || outcome.kind === "event") await tellSigned(outcome);
      else if (outcome.kind === "reading") {
        if (!outcome.repeat) onStored(outcome.reading);
        if (qos === 0) return;
        const list = listOf(outcome.device);
        addReading(list, outcome.reading, outcome.repeat);
        if (isFull(list)) await tell(outcome.device);
        else if (!isTelling.has(outcome.device.kid)) {
          isTelling.add(outcome.device.kid);
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
    /** From now on it stores nothing of these classes, and of all others again. */
    setDeaf(value: boolean | MessageClass[]): void {
      const all = Object.keys(CLASSES) as MessageClass[];
      deafTo = typeof value === "boolean" ? (value ? all : []) : value;
    },
    async content(thumbprint: Buffer): Promise<CloudContent> {
      await store.counts();
      return readCloud(database, KEK, thumbprint);
    },
    /** When each reading of this name was measured, in the order of session and number, and by whose word. */
    async dates(name: string): Promise<{ value: number; time: number; from: string }[]> {
      await store.counts();
      return database
        .prepare<[string], { value: number; time: number; from: string }>(
          `SELECT value, time, time_from AS "from" FROM measurement WHERE name = ?
           ORDER BY session, sequence`,
        )
        .all(name);
    },
    /** The records of each event, in the order of their counters. */
    async events(): Promise<SenmlRecord[][]> {
      await store.counts();
      return database
        .prepare<[], { payload: Buffer }>("SELECT payload FROM event ORDER BY counter")
        .all()
        .map(({ payload }) => parseSenml(payload.toString("latin1") as Bytes));
    },
    async close(): Promise<void> {
      sessionKeys.close();
      await store.close();
    },
  };
}

export type MemoryCloud = ReturnType<typeof createMemoryCloud>;
