import type { Device, StoredRecord } from "../../cloud/store/store.ts";
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import { printable } from "../cli/output.ts";

/** Key id of a device, and its name where it has one. */
export function nameOf({ kid, name }: Device): string {
  return name === undefined ? toHex(kid) : `${toHex(kid)} "${printable(name)}"`;
}

export function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** UTF-8 that the protocol has checked, as text. */
export function textOfBytes(value: Bytes): string {
  return Buffer.from(value, "latin1").toString("utf8");
}

/** A secret as it is shown. */
export function secretText(length: number): string {
  return `${length} bytes, secret`;
}

/** A record without the fields it does not have. */
export function recordView({ name, unit, value, time }: StoredRecord) {
  return {
    name,
    value,
    ...(unit === undefined ? {} : { unit }),
    ...(time === undefined ? {} : { time }),
  };
}
