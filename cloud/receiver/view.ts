import { toHex } from "../../protocol/bytes.ts";
import { UPTIME } from "../../protocol/senml.ts";
import type { Device, Reading } from "../store/store.ts";

/** One measurement, as it is shown and handed on. */
export interface Measurement {
  /** The device's name, or its key id where it has none. */
  device: string;
  /** Key id of the device, 16 hexadecimal digits. */
  kid: string;
  session: number;
  sequence: number;
  name: string;
  unit?: string;
  value: number | boolean;
  /** Unix seconds. */
  time: number;
}

export function deviceName(device: Device): string {
  return device.name ?? toHex(device.kid);
}

/** The measurements of a reading; the uptime, which only dates them, is left out. */
export function toMeasurements(device: Device, reading: Reading): Measurement[] {
  const records = reading.records.filter(({ name }) => name !== UPTIME);
  return records.map(({ name, unit, value, time }) => ({
    device: deviceName(device),
    kid: toHex(device.kid),
    session: reading.session,
    sequence: reading.sequence,
    name,
    ...(unit === undefined ? {} : { unit }),
    value,
    // Without a time a record is of now (RFC 8428 section 4.5.3): of its arrival.
    time: time ?? reading.receivedAt,
  }));
}
