import type { EventRecord, Measurement } from "../../cloud/receiver/view.ts";

/** Where a command writes. Results go to `out`, everything said about them to `error`. */
export interface Output {
  out(text: string): void;
  error(text: string): void;
}

export const processOutput: Output = {
  out: (text) => process.stdout.write(text),
  error: (text) => process.stderr.write(text),
};

/** Text from a device without what a terminal would obey (control and invisible characters). */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, "\ufffd");
}

/** Unix seconds for people. */
export function when(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** A measurement as one line of JSON, for programs. */
export function toNdjson(measurement: Measurement): string {
  const { device, session, sequence, name, unit, value, time } = measurement;
  return JSON.stringify({ device, session, sequence, name, unit, value, time });
}

/** A record of an event likewise; `kind` tells it from a measurement. */
export function eventToNdjson(record: EventRecord): string {
  const { device, counter, name, unit, value, time } = record;
  return JSON.stringify({ kind: "event", device, counter, name, unit, value, time });
}
