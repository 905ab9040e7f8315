import { type Bytes, toBigEndian } from "../../protocol/bytes.ts";
import { MESSAGE_HASH_LENGTH } from "../../protocol/cose/sign1.ts";
import { MAX_RECEIPT_ENTRIES, type Receipt, type ReceiptRange } from "../../protocol/receipt.ts";
import { addToRanges, type Range } from "./ranges.ts";

/** What one device has not been told yet: signed messages, and readings by session. */
export interface ReceiptList {
  messages: Set<Bytes>;
  /** Ranges of sequence numbers by session counter. */
  readings: Map<number, Range[]>;
}

export function emptyList(): ReceiptList {
  return { messages: new Set(), readings: new Map() };
}

export function addMessage(list: ReceiptList, hash: Bytes): void {
  list.messages.add(hash.substring(0, MESSAGE_HASH_LENGTH) as Bytes);
}

export function addReading(list: ReceiptList, session: number, sequence: number): void {
  const ranges = list.readings.get(session) ?? [];
  list.readings.set(session, ranges);
  addToRanges(ranges, sequence);
}

function countRanges(list: ReceiptList): number {
  let count = 0;
  for (const ranges of list.readings.values()) count += ranges.length;
  return count;
}

/** True when one more entry might not fit into a receipt. */
export function isFull(list: ReceiptList): boolean {
  return list.messages.size >= MAX_RECEIPT_ENTRIES || countRanges(list) >= MAX_RECEIPT_ENTRIES;
}

export function toReceipt(list: ReceiptList, time: number): Receipt {
  const readings: ReceiptRange[] = [];
  for (const [session, ranges] of list.readings) {
    const sessionKid = toBigEndian(session);
    for (const { first, last } of ranges) readings.push({ sessionKid, first, last });
  }
  return { time, messages: [...list.messages], readings };
}
