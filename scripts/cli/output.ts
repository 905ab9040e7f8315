import type { EventRecord, Measurement } from "../../cloud/receiver/view.ts";

/** Where a command writes. */
export interface Streams {
  out(text: string): void;
  error(text: string): void;
}

/** Results go to `out`, what goes wrong to `error`, and all else that is said to `note`. */
export interface Output extends Streams {
  /** To standard error as well; nothing with --quiet. */
  note(text: string): void;
}

export const processOutput: Streams = {
  out: (text) => process.stdout.write(text),
  error: (text) => process.stderr.write(text),
};

/** Text from a device without what a terminal would obey (control and invisible characters). */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, "\ufffd");
}

/** Whether to colour what a stream shows: a terminal's, unless NO_COLOR (no-color.org) is set. */
export function wantsColour(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR;
}

/** Unix seconds for people. */
export function when(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** A measurement as one line of JSON, for programs. */
export function toNdjson(measurement: Measurement): string {
  const { device, session, sequence, name, unit, value, time, timeFrom } = measurement;
  return JSON.stringify({ device, session, sequence, name, unit, value, time, timeFrom });
}

/** A measurement that came before, with its date; `kind` tells it from a new one. */
export function datedToNdjson(measurement: Measurement): string {
  const { device, session, sequence, name, unit, value, time, timeFrom } = measurement;
  const place = { kind: "dated", device, session, sequence };
  return JSON.stringify({ ...place, name, unit, value, time, timeFrom });
}

/** A record of an event likewise; `kind` tells it from a measurement. */
export function eventToNdjson(record: EventRecord): string {
  const { device, counter, name, unit, value, time, timeFrom } = record;
  return JSON.stringify({ kind: "event", device, counter, name, unit, value, time, timeFrom });
}
