/**
 * Refused messages on their way into the audit log. Anybody who reaches the broker can
 * make refusals, so rows are bounded: each reason has a few rows of its own, and what is
 * beyond them is counted in one row a minute. A flood for one reason hides no other.
 */

import type { Bytes } from "../../protocol/bytes.ts";
import { toHex } from "../../protocol/bytes.ts";
import type { AuditEntry } from "./row.ts";

/** Rows that a reason may have at once. */
const BURST = 16;
/** Milliseconds that give one back: some 3,000 rows a day for each reason, whatever comes. */
const REFILL_MS = 30_000;
/** How often the rest is written. */
const MORE_EVERY_MS = 60_000;

export interface AuditedRefusal {
  reason: string;
  class: string | undefined;
  kid: Bytes | undefined;
  /** SHA-256 of the message, asked for only where it gets a row. */
  hash(): Bytes;
}

interface Bucket {
  used: number;
  at: number;
}

export function createRefusalRows(now: () => number) {
  // At most one entry for each reason, and reasons are a closed union.
  const buckets = new Map<string, Bucket>();
  let rows: AuditEntry[] = [];
  let more: Record<string, number> = {};
  let moreAt = Number.NEGATIVE_INFINITY;

  function takeRow(reason: string): boolean {
    const bucket = buckets.get(reason) ?? { used: 0, at: now() };
    // A clock that steps back gives nothing.
    const used = Math.max(0, bucket.used - Math.max(0, now() - bucket.at) / REFILL_MS);
    const taken = used <= BURST - 1;
    buckets.set(reason, { used: taken ? used + 1 : used, at: now() });
    return taken;
  }

  return {
    add({ reason, class: messageClass, kid, hash }: AuditedRefusal): void {
      if (!takeRow(reason)) {
        more[reason] = (more[reason] ?? 0) + 1;
        return;
      }
      const details = { message: toHex(hash()) };
      rows.push({ kind: "refuse", class: messageClass, reason, kid, details });
    },

    /** What is to be written now; with `all` the rest too, before its minute. */
    due(all: boolean): AuditEntry[] {
      const isMoreDue =
        Object.keys(more).length > 0 && (all || Math.abs(now() - moreAt) >= MORE_EVERY_MS);
      return isMoreDue ? [...rows, { kind: "refuse", reason: "more", details: more }] : rows;
    },

    /** `due(all)` is written. */
    written(all: boolean): void {
      if (this.due(all).length > rows.length) {
        more = {};
        moreAt = now();
      }
      rows = [];
    },

    /** True while a rest waits for its minute. */
    isWaiting: () => Object.keys(more).length > 0,
  };
}
