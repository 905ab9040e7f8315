import type { Values } from "../history.ts";

/** What the firmware adds to what a sensor measured. */
const ADDED = ["uptime", "dropped"];

/** A name for what was measured: equal for equal values. */
export function measuredKey(values: Values): string {
  const measured = Object.entries(values).filter(([name]) => !ADDED.includes(name));
  return JSON.stringify(measured.sort(([one], [other]) => (one < other ? -1 : 1)));
}

export const sameMeasured = (one: Values, other: Values): boolean =>
  measuredKey(one) === measuredKey(other);
