/**
 * The event that follows the first receipt of a boot. Until then the device knew no time,
 * and its readings carried seconds since boot: this ties these to Unix time, for the
 * sessions of this boot.
 */
import type { Bytes } from "../protocol/bytes.ts";
import { createSenmlMaker } from "../protocol/senml.ts";

export interface BootReport {
  /** Unix seconds, and seconds since boot, of the same moment. */
  time: number | undefined;
  uptime: number;
  /** The first session of this boot. */
  firstSession: number;
  /** The newest session and its last sequence number. */
  session: number;
  sequence: number;
  /** Readings that wait, and that were lost for want of room. */
  queued: number;
  drops: number;
}

/** The report as a SenML pack. */
export function makeBootReport(report: BootReport): Bytes {
  const make = createSenmlMaker([
    { name: "boot-uptime", unit: "s", exponent: 0 },
    { name: "boot-first", unit: "1", exponent: 0 },
    { name: "boot-session", unit: "1", exponent: 0 },
    { name: "boot-sequence", unit: "1", exponent: 0 },
    { name: "queued", unit: "1", exponent: 0 },
    { name: "drops", unit: "1", exponent: 0 },
  ]);
  const values = [
    report.uptime,
    report.firstSession,
    report.session,
    report.sequence,
    report.queued,
    report.drops,
  ];
  return make(values, { time: report.time, uptime: report.uptime }, 0);
}
