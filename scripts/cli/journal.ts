import { existsSync } from "node:fs";
import type { Command } from "@commander-js/extra-typings";
import { createAuditLog } from "../../cloud/audit/log.ts";
import { journalPath } from "../../cloud/journal/journal.ts";
import { rebuildJournal } from "../../cloud/journal/rebuild.ts";
import { openDatabase } from "../../cloud/store/sqlite.ts";
import { EXIT_CODES } from "./exit.ts";
import type { Output } from "./output.ts";
import { DATABASE_OPTION } from "./with-store.ts";

export function addJournalCommand(program: Command, output: Output): void {
  const journal = program
    .command("journal")
    .description("the file beside the database that keeps the deleted deleted")
    .addHelpText("after", "\nExamples:\n  $ coseflow journal rebuild");

  journal
    .command("rebuild")
    .description("make the journal anew from its database, when it is lost for good")
    .option("--json", "the journal's file in one line of JSON")
    .option(...DATABASE_OPTION)
    .addHelpText(
      "after",
      `
Only what this database knows is in the new journal. After an old backup without its
journal, devices deleted and claims used since then are not: revoke them by hand.

${EXIT_CODES}

Example:
  $ coseflow journal rebuild --db /var/lib/coseflow/cloud.db`,
    )
    .action(({ json, db }) => {
      if (!existsSync(db)) throw new Error(`${db}, expected a database, got no such file`);
      const database = openDatabase(db);
      try {
        rebuildJournal(database, createAuditLog(database, Date.now), journalPath(db));
      } finally {
        database.close();
      }
      if (json) output.out(`${JSON.stringify({ journal: journalPath(db) })}\n`);
      else output.note(`${journalPath(db)} made\n`);
    });
}
