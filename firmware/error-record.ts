import type { Clock, Log } from "./ports.ts";

/** The last error and how many there were: for a person who comes after it has scrolled away. */
export interface ErrorRecord {
  count: number;
  last: string;
}

/** Logs an error that ended nothing, and keeps it. */
export type ReportError = (what: string, error: unknown) => void;

export function createErrorRecord(clock: Clock, log: Log) {
  const record: ErrorRecord = { count: 0, last: "" };
  const report: ReportError = function (what, error) {
    const message = error instanceof Error ? error.message : "" + error;
    record.count++;
    record.last = what + ": " + message + " (at " + Math.floor(clock.uptime()) + " s)";
    log(what + ": " + message);
  };
  return { record: record, report: report };
}
