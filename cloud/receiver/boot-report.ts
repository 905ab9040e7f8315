import type { BootReport, StoredRecord } from "../store/store.ts";

/**
 * The boot report in an event's records, or undefined where it is none: one of the four is
 * missing, is no count, or contradicts another. SPEC.md, "The boot report".
 */
export function bootReportOf(records: StoredRecord[]): BootReport | undefined {
  const counts = new Map<string, number>();
  for (const { name, value } of records)
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0)
      counts.set(name, value);
  const time = records[0]?.time;
  const uptime = counts.get("boot-uptime");
  const firstSession = counts.get("boot-first");
  const lastSession = counts.get("boot-session");
  const lastSequence = counts.get("boot-sequence");
  if (time === undefined || uptime === undefined || lastSequence === undefined) return undefined;
  if (firstSession === undefined || lastSession === undefined) return undefined;
  // No boot was before 1970: dates stay within what a calendar can write down.
  if (firstSession > lastSession || uptime > time) return undefined;
  return { firstSession, lastSession, lastSequence, uptime, time };
}
