import { type Bytes, toBigEndian } from "../../protocol/bytes.ts";
import { MESSAGE_HASH_LENGTH } from "../../protocol/cose/sign1.ts";
import { MAX_RECEIPT_ENTRIES, type Receipt, type ReceiptRange } from "../../protocol/receipt.ts";
import type { Reading, ToldRange } from "../store/store.ts";
import { addToRanges, type Range } from "./ranges.ts";

/** Which reading of a device. */
type Place = Pick<Reading, "session" | "sequence">;

/** What one device has not been told yet: signed messages, and readings by session. */
export interface ReceiptList {
  messages: Set<Bytes>;
  /** Ranges of sequence numbers by session counter. */
  readings: Map<number, Range[]>;
  /** Those of them that were stored just now, for the audit log: not the repeats. */
  fresh: Map<number, Range[]>;
}

export function emptyList(): ReceiptList {
  return { messages: new Set(), readings: new Map(), fresh: new Map() };
}

export function addMessage(list: ReceiptList, hash: Bytes): void {
  list.messages.add(hash.substring(0, MESSAGE_HASH_LENGTH) as Bytes);
}

function addTo(sessions: Map<number, Range[]>, { session, sequence }: Place): void {
  const ranges = sessions.get(session) ?? [];
  sessions.set(session, ranges);
  addToRanges(ranges, sequence);
}

export function addReading(list: ReceiptList, place: Place, isRepeat: boolean): void {
  addTo(list.readings, place);
  if (!isRepeat) addTo(list.fresh, place);
}

export function freshRanges({ fresh }: ReceiptList): ToldRange[] {
  return [...fresh].flatMap(([session, ranges]) => ranges.map((range) => ({ session, ...range })));
}

function countRanges(sessions: Map<number, Range[]>): number {
  let count = 0;
  for (const ranges of sessions.values()) count += ranges.length;
  return count;
}

/** True when one more entry might not fit into a receipt, or into its row of the audit log. */
export function isFull({ messages, readings, fresh }: ReceiptList): boolean {
  const counts = [messages.size, countRanges(readings), countRanges(fresh)];
  return counts.some((count) => count >= MAX_RECEIPT_ENTRIES);
}

export function toReceipt(list: ReceiptList, time: number): Receipt {
  const readings: ReceiptRange[] = [];
  for (const [session, ranges] of list.readings) {
    const sessionKid = toBigEndian(session);
    for (const { first, last } of ranges) readings.push({ sessionKid, first, last });
  }
  return { time, messages: [...list.messages], readings };
}
