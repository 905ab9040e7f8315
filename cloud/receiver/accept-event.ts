import type { Bytes } from "../../protocol/bytes.ts";
import { createEventOpener } from "../../protocol/event-message.ts";
import type { DatedReading, Device, DeviceEvent, StoredRecord } from "../store/store.ts";
import type { AcceptContext } from "./accept-context.ts";
import { createSignedJudge, type SignedMessage } from "./accept-signed.ts";
import { bootReportOf } from "./boot-report.ts";
import type { FailureBudget } from "./failure-budget.ts";
import { toStored } from "./records.ts";
import { isRefused, type Refused } from "./refusal.ts";

/** An event that has just been stored, opened. */
export interface StoredEvent {
  event: DeviceEvent;
  records: StoredRecord[];
  /** Readings stored before, which this boot report dates. */
  dated: DatedReading[];
}

export interface AcceptedEvent extends SignedMessage {
  kind: "event";
  /** Undefined for a repeat. */
  stored: StoredEvent | undefined;
}

/** Judges events and commits each good one. No session is needed for it. */
export function createEventAcceptor(context: AcceptContext, budget: FailureBudget) {
  const { crypto, store, now } = context;
  const judgeEvent = createSignedJudge(context, budget, "event", createEventOpener(crypto));

  return async function acceptEvent(
    device: Device,
    message: Bytes,
  ): Promise<AcceptedEvent | Refused> {
    const judged = await judgeEvent(device, message);
    if (isRefused(judged)) return judged;
    const { hash, opened } = judged;
    const repeat: AcceptedEvent = { kind: "event", device, hash, repeat: true, stored: undefined };
    if (!opened) return repeat;
    const { counter, pack } = opened;
    const records = opened.records.map(toStored);
    const bootReport = bootReportOf(records);
    const event = { device: device.kid, counter, receivedAt: now(), payload: pack, bootReport };
    const outcome = await store.commitEvent(event, hash);
    if (outcome === "conflict") return { refused: "counter-conflict" };
    if (outcome === "repeat") return repeat;
    const dated = bootReport ? await store.listDated(device.kid, counter) : [];
    return { ...repeat, repeat: false, stored: { event, records, dated } };
  };
}
