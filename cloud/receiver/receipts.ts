/**
 * Receipts: after a commit the device is told, end to end, what is stored. Readings
 * are gathered for a moment, so that a burst costs one receipt.
 *
 * A receipt that is lost costs nothing but a repeat: the device sends again, and
 * what is stored already is receipted again. An event may come before any session of
 * its device: its receipt waits for the first one.
 */
import type { Bytes } from "../../protocol/bytes.ts";
import { MAX_RECEIPTS, sealReceipt } from "../../protocol/receipt.ts";
import { topicOf } from "../../protocol/topics.ts";
import { toBuffer } from "../crypto/convert.ts";
import type { Device, Session } from "../store/store.ts";
import type { AcceptContext } from "./accept-context.ts";
import type { AcceptedReading } from "./accept-reading.ts";
import type { SignedMessage } from "./accept-signed.ts";
import {
  addMessage,
  addReading,
  emptyList,
  freshRanges,
  isFull,
  toReceipt,
} from "./receipt-list.ts";

/** Long enough to gather a burst, short against the device's 60 s before it repeats. */
export const RECEIPT_DELAY_MS = 250;
/** A session that only sends readings nobody waits for still gets this many seconds' proof of life. */
export const RECEIPT_INTERVAL = 900;
/** Devices with something to be told; beyond it the longest waiting is dropped and will repeat. */
const MAX_WAITING = 4096;
/** Sessions whose last receipt is remembered; a forgotten one gets a receipt too many. */
const MAX_REMEMBERED = 65536;

export interface ReceiptsOptions {
  context: AcceptContext;
  /** False when the message cannot be sent now: it is offered again after `resume`. */
  publish(topic: string, payload: Buffer): boolean;
  /** Whether publishing makes sense at the moment. */
  ready(): boolean;
  failed(device: Device, error: unknown): void;
  delayMs?: number | undefined;
}

export interface Receipts {
  /** A session message or an event is stored: told at once. */
  message(accepted: SignedMessage): void;
  /** A reading is stored; told soon if it waits for a receipt (QoS 1) or none was due for long. */
  reading(accepted: AcceptedReading, qos: number): void;
  /**
   * Tells everything that waits, such as after a reconnect. Resolves when it is handed
   * over, or has no session yet to be told under.
   */
  flush(): Promise<void>;
  /** Receipts handed to the broker so far. */
  sent(): number;
  close(): void;
}

interface Waiting {
  device: Device;
  list: ReturnType<typeof emptyList>;
  timer: NodeJS.Timeout | undefined;
  /** The attempts to tell it, one after the other: what comes meanwhile has one of its own. */
  attempts: Promise<void>;
  /** Handed over, or failed: whatever else attempts it comes too late. */
  done: boolean;
}

export function createReceipts(options: ReceiptsOptions): Receipts {
  const { context, publish, ready, failed } = options;
  const { crypto, store, sessionKeys, prefix, now } = context;
  const delayMs = options.delayMs ?? RECEIPT_DELAY_MS;
  const waiting = new Map<Bytes, Waiting>();
  const lastTold = new Map<string, number>();
  let sent = 0;

  function remember(device: Device, session: number): void {
    const name = nameOf(device, session);
    lastTold.delete(name);
    const [oldest] = lastTold.keys();
    if (lastTold.size >= MAX_REMEMBERED && oldest !== undefined) lastTold.delete(oldest);
    lastTold.set(name, now());
  }

  function send({ device, list }: Waiting, row: Session): void {
    const { receiptKey, kid } = sessionKeys.open(device, row);
    const receipt = toReceipt(list, now());
    const message = sealReceipt(crypto, receiptKey, kid, device.thumbprint, receipt);
    if (!publish(topicOf(prefix, device.kid, "receipt"), toBuffer(message, "receipt"))) return;
    sent++;
    for (const session of list.readings.keys()) remember(device, session);
  }

  function finish(entry: Waiting): void {
    entry.done = true;
    forget(entry);
  }

  async function attempt(entry: Waiting): Promise<void> {
    if (entry.done || !ready()) return;
    stopTimer(entry);
    try {
      const row = await store.takeReceipt(entry.device.kid, MAX_RECEIPTS, freshRanges(entry.list));
      // No session yet, or its receipts are spent: it waits for the next session message.
      if (!row) return;
      finish(entry);
      send(entry, row);
    } catch (error) {
      finish(entry);
      failed(entry.device, error);
    }
  }

  function tell(entry: Waiting): Promise<void> {
    entry.attempts = entry.attempts.then(() => attempt(entry));
    return entry.attempts;
  }

  function stopTimer(entry: Waiting): void {
    clearTimeout(entry.timer);
    entry.timer = undefined;
  }

  function forget(entry: Waiting): void {
    stopTimer(entry);
    if (waiting.get(entry.device.kid) === entry) waiting.delete(entry.device.kid);
  }

  function entryOf(device: Device): Waiting {
    const known = waiting.get(device.kid);
    if (known && !isFull(known.list)) return known;
    // Full and still here: it could not be sent yet. The device repeats what it is not told.
    if (known) forget(known);
    const [oldest] = waiting.values();
    if (waiting.size >= MAX_WAITING && oldest) forget(oldest);
    const entry: Waiting = {
      device,
      list: emptyList(),
      timer: undefined,
      attempts: Promise.resolve(),
      done: false,
    };
    waiting.set(device.kid, entry);
    return entry;
  }

  function isDue({ device, reading }: AcceptedReading): boolean {
    const last = lastTold.get(nameOf(device, reading.session));
    return last === undefined || Math.abs(now() - last) >= RECEIPT_INTERVAL;
  }

  return {
    message({ device, hash }) {
      const entry = entryOf(device);
      addMessage(entry.list, hash);
      void tell(entry);
    },

    reading(accepted, qos) {
      if (qos === 0 && !isDue(accepted)) return;
      const entry = entryOf(accepted.device);
      addReading(entry.list, accepted.reading, accepted.repeat);
      if (isFull(entry.list)) void tell(entry);
      else entry.timer ??= setTimeout(() => void tell(entry), delayMs);
    },

    async flush() {
      await Promise.all([...waiting.values()].map(tell));
    },

    sent: () => sent,

    close() {
      for (const entry of waiting.values()) forget(entry);
    },
  };
}

function nameOf(device: Device, session: number): string {
  return `${device.kid}/${session}`;
}
