import { type SenmlRecord, UPTIME } from "../../protocol/senml.ts";
import type { StoredRecord } from "../store/store.ts";
import { textOf } from "../text.ts";

/** A record of a pack as the store and the views have it. */
export function toStored(record: SenmlRecord): StoredRecord {
  return {
    name: textOf(record.name),
    unit: record.unit === undefined ? undefined : textOf(record.unit),
    value: record.value,
    time: record.time,
  };
}

/** Seconds since boot, of a pack that has these in place of a time. */
export function uptimeOf(records: StoredRecord[]): number | undefined {
  const found = records.find(({ name, time }) => name === UPTIME && time === undefined);
  const isCount = Number.isSafeInteger(found?.value) && (found?.value as number) >= 0;
  return isCount ? (found?.value as number) : undefined;
}
