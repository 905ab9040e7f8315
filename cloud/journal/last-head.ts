import { existsSync } from "node:fs";
import type { Bytes } from "../../protocol/bytes.ts";
import type { ExpectedHead } from "../audit/verify.ts";
import { readJournalFile } from "./file.ts";
import { journalPath } from "./journal.ts";

/** The last audit head in the journal of a database; undefined without a journal or a head. */
export function readLastHead(databasePath: string, id: Bytes): ExpectedHead | undefined {
  const path = journalPath(databasePath);
  if (!existsSync(path)) return undefined;
  const entries = readJournalFile(path).flatMap((line) => line.entries);
  const [first] = entries;
  if (first?.kind !== "database" || first.id !== id)
    throw new Error(`${path}, expected the journal of this database, got another's`);
  const head = entries.findLast((entry) => entry.kind === "head");
  return head && { sequence: head.sequence, hash: head.hash, from: path };
}
