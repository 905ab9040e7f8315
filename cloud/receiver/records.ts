import type { Bytes } from "../../protocol/bytes.ts";
import type { SenmlRecord } from "../../protocol/senml.ts";
import type { StoredRecord } from "../store/store.ts";

/** UTF-8 was checked where the pack was read. */
function toText(value: Bytes): string {
  return Buffer.from(value, "latin1").toString("utf8");
}

/** A record of a pack as the store and the views have it. */
export function toStored(record: SenmlRecord): StoredRecord {
  return {
    name: toText(record.name),
    unit: record.unit === undefined ? undefined : toText(record.unit),
    value: record.value,
    time: record.time,
  };
}
