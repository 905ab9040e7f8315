import { toHex } from "../../protocol/bytes.ts";
import { UPTIME } from "../../protocol/senml.ts";
import type { DatedReading, Device, Reading, StoredRecord } from "../store/store.ts";
import type { StoredEvent } from "./accept-event.ts";

/**
 * Where a time comes from: the device said it, a boot report gave it, or nobody knew it
 * and it is that of the arrival.
 */
export type TimeSource = "device" | "boot-report" | "arrival";

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
  timeFrom: TimeSource;
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

/** For records without a time of their own. */
type Fallback = Pick<DeviceRecord, "time" | "timeFrom">;

/** What is shown of a pack, each record with its place; the uptime, which only dates it, is left out. */
function toShown<Place extends object>(
  device: Device,
  place: Place,
  records: StoredRecord[],
  fallback: Fallback,
): (DeviceRecord & Place)[] {
  const shown = records.filter(({ name }) => name !== UPTIME);
  return shown.map(({ name, unit, value, time }) => ({
    device: deviceName(device),
    kid: toHex(device.kid),
    ...place,
    name,
    ...(unit === undefined ? {} : { unit }),
    value,
    ...(time === undefined ? fallback : { time, timeFrom: "device" }),
  }));
}

/** Without a time a record is of now (RFC 8428 section 4.5.3): of its arrival. */
function ofArrival(receivedAt: number): Fallback {
  return { time: receivedAt, timeFrom: "arrival" };
}

/** The records of a reading that has arrived; `date` is what a boot report makes of its uptime. */
export function toMeasurements(
  device: Device,
  reading: Reading,
  date: number | undefined,
): Measurement[] {
  const { session, sequence, records, receivedAt } = reading;
  if (date !== undefined) return toDated(device, { session, sequence, records, date });
  return toShown(device, { session, sequence }, records, ofArrival(receivedAt));
}

/** The records of a reading that a boot report dates. */
export function toDated(device: Device, reading: DatedReading): Measurement[] {
  const { session, sequence, records, date } = reading;
  const fallback: Fallback = { time: date, timeFrom: "boot-report" };
  return toShown(device, { session, sequence }, records, fallback);
}

export function toEventRecords(device: Device, { event, records }: StoredEvent): EventRecord[] {
  return toShown(device, { counter: event.counter }, records, ofArrival(event.receivedAt));
}
