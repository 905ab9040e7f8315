/** Finds what was changed, taken out, moved or cut off in an audit log. */
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import { type AuditHead, type AuditRow, firstPrevious, hashOfRow } from "./row.ts";

/** Findings are bounded: after a row is taken out every finding that follows says the same. */
const MAX_FINDINGS = 20;

export interface AuditReport {
  /** Rows read. */
  rows: number;
  head: AuditHead;
  /** One sentence each; empty when the log is whole. */
  findings: string[];
  /** Places at which the database was put back to an older state, and said so. */
  gaps: number[];
}

/** The reason of a row that says: the journal knows later rows than this log had. */
export const AUDIT_GAP = "audit-gap";

/** A head that must be in the log, and where it is from. */
export interface ExpectedHead extends AuditHead {
  from: string;
}

export function verifyAudit(
  database: Bytes,
  rows: Iterable<AuditRow>,
  expected: ExpectedHead[],
): AuditReport {
  const findings: string[] = [];
  const gaps: number[] = [];
  const waiting = new Map<number, ExpectedHead[]>();
  for (const head of expected)
    waiting.set(head.sequence, [...(waiting.get(head.sequence) ?? []), head]);

  function find(sentence: string): void {
    if (findings.length < MAX_FINDINGS) findings.push(sentence);
  }

  function checkHeads(head: AuditHead): void {
    for (const { from, hash } of waiting.get(head.sequence) ?? [])
      if (hash !== head.hash)
        find(
          `row ${head.sequence}, expected the hash of ${from}, got another: the log was rewritten`,
        );
    waiting.delete(head.sequence);
  }

  let head: AuditHead = { sequence: 0, hash: firstPrevious(database) };
  let count = 0;
  checkHeads(head);
  for (const row of rows) {
    if (row.sequence !== head.sequence + 1)
      find(`row ${row.sequence}, expected row ${head.sequence + 1} here: rows are missing`);
    if (row.previous !== head.hash)
      find(`row ${row.sequence}, expected the hash of the row before it, got another`);
    if (row.hash !== hashOfRow(row))
      find(
        `row ${row.sequence}, expected its own hash ${toHex(row.hash)}, got another: it was changed`,
      );
    if (row.reason === AUDIT_GAP) gaps.push(row.sequence);
    head = { sequence: row.sequence, hash: row.hash };
    count++;
    checkHeads(head);
  }
  for (const { sequence, from } of [...waiting.values()].flat())
    find(
      `log, expected row ${sequence} of ${from}, got the end at row ${head.sequence}: its tail was cut`,
    );
  return { rows: count, head, findings, gaps };
}
