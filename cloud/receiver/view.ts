import { toHex } from "../../protocol/bytes.ts";
import { UPTIME } from "../../protocol/senml.ts";
import type { Device, Reading, StoredRecord } from "../store/store.ts";
import type { StoredEvent } from "./accept-event.ts";

/** One record of a device, as it is shown and handed on. */
interface DeviceRecord {
  /** The device's name, or its key id where it has none. */
  device: string;
  /** Key id of the device, 16 hexadecimal digits. */
  kid: string;
  name: string;
  unit?: string;
  value: number | boolean;
  /** Unix seconds. */
  time: number;
}

/** A record of a reading. */
export interface Measurement extends DeviceRecord {
  session: number;
  sequence: number;
}

/** A record of an event. */
export interface EventRecord extends DeviceRecord {
  /** The device counter of the event. */
  counter: number;
}

export function deviceName(device: Device): string {
  return device.name ?? toHex(device.kid);
}

/** What is shown of a pack, each record with its place; the uptime, which only dates it, is left out. */
function toShown<Place extends object>(
  device: Device,
  place: Place,
  records: StoredRecord[],
  receivedAt: number,
): (DeviceRecord & Place)[] {
  const shown = records.filter(({ name }) => name !== UPTIME);
  return shown.map(({ name, unit, value, time }) => ({
    device: deviceName(device),
    kid: toHex(device.kid),
    ...place,
    name,
    ...(unit === undefined ? {} : { unit }),
    value,
    // Without a time a record is of now (RFC 8428 section 4.5.3): of its arrival.
    time: time ?? receivedAt,
  }));
}

export function toMeasurements(device: Device, reading: Reading): Measurement[] {
  const { session, sequence, records, receivedAt } = reading;
  return toShown(device, { session, sequence }, records, receivedAt);
}

export function toEventRecords(device: Device, { event, records }: StoredEvent): EventRecord[] {
  return toShown(device, { counter: event.counter }, records, event.receivedAt);
}
