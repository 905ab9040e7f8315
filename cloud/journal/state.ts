import type { Database } from "better-sqlite3";
import type { Position } from "./file.ts";

/** What a database knows of its journal; size 0 when it has none yet. */
export interface JournalState extends Position {
  /** The last audit row whose hash is in the journal. */
  head: number;
}

export function journalState(database: Database) {
  const get = database.prepare<[], JournalState>('SELECT size, "check", head FROM journal');
  const set = database.prepare('UPDATE journal SET size = ?, "check" = ?, head = ?');
  return {
    get: () => get.get() as JournalState,
    set({ size, check }: Position, head: number): void {
      set.run(size, check, head);
    },
  };
}
