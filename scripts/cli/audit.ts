import type { Command } from "@commander-js/extra-typings";
import { type ExportedHead, encodeHead, parseHead } from "../../cloud/audit/head.ts";
import { openAudit } from "../../cloud/audit/reader.ts";
import type { AuditRow } from "../../cloud/audit/row.ts";
import type { AuditReport, ExpectedHead } from "../../cloud/audit/verify.ts";
import { toHex } from "../../protocol/bytes.ts";
import { readText } from "../board/read-file.ts";
import { EXIT_CODES } from "./exit.ts";
import { type Output, printable } from "./output.ts";
import { parseCount } from "./parse.ts";
import { DATABASE_OPTION } from "./with-store.ts";

function readHead(file: string): ExportedHead & ExpectedHead {
  return { ...parseHead(readText(file)), from: file };
}

function rowToJson(row: AuditRow) {
  const { sequence, at, kind, kid, details } = row;
  return {
    ...{ sequence, at, kind, class: row.class ?? null, reason: row.reason ?? null },
    ...{ kid: kid === undefined ? null : toHex(kid), details: JSON.parse(details) },
  };
}

function rowToText({ sequence, at, kind, class: name, reason, kid, details }: AuditRow): string {
  const words = [new Date(at).toISOString(), `#${sequence}`, kind, name, reason];
  const shown = [...words, kid && toHex(kid), details === "{}" ? undefined : details];
  return printable(shown.filter((word) => word !== undefined).join("  "));
}

function reportToText({ rows, findings, gaps, head }: AuditReport): string {
  const lines = [
    ...findings,
    ...gaps.map(
      (row) =>
        `note: row ${row} says that an older database was put back; rows before it are missing`,
    ),
    findings.length > 0
      ? `NOT whole: ${findings.length} findings in ${rows} rows`
      : `whole: ${rows} rows, head ${toHex(head.hash)}`,
  ];
  return lines.map((line) => `${printable(line)}\n`).join("");
}

function reportToJson({ rows, findings, gaps, head }: AuditReport) {
  const { sequence, hash } = head;
  return {
    whole: findings.length === 0,
    rows,
    findings,
    gaps,
    head: { sequence, hash: toHex(hash) },
  };
}

function addVerify(audit: Command, output: Output): void {
  audit
    .command("verify")
    .description("check that no row was changed, taken out, moved or cut off")
    .option("--head <file>", "a head from export-head: the log must still contain it")
    .option("--json", "one line of JSON")
    .option(...DATABASE_OPTION)
    .addHelpText(
      "after",
      `
Without a head from elsewhere a cut tail is found as far as the journal beside the database
knows it.

Exit codes: 0 the log is whole, 1 it is not, 2 the command line is wrong.

Examples:
  $ coseflow audit export-head > /mnt/elsewhere/audit.head
  $ coseflow audit verify --head /mnt/elsewhere/audit.head`,
    )
    .action(({ head, json, db }) => {
      const expected = head === undefined ? [] : [readHead(head)];
      const log = openAudit(db);
      try {
        const report = log.verify(expected);
        output.out(json ? `${JSON.stringify(reportToJson(report))}\n` : reportToText(report));
        if (report.findings.length > 0)
          throw new Error("audit log, expected a whole one, got findings");
      } finally {
        log.close();
      }
    });
}

export function addAuditCommand(program: Command, output: Output): void {
  const audit = program
    .command("audit")
    .description("the log of what the cloud accepted and refused, and what operators did")
    .addHelpText(
      "after",
      "\nExamples:\n  $ coseflow audit tail\n  $ coseflow audit verify --head head.json",
    );
  addVerify(audit as Command, output);

  audit
    .command("tail")
    .description("print the last rows")
    .option("--count <n>", "how many", parseCount, 20)
    .option("--json", "one line of JSON for each row")
    .option(...DATABASE_OPTION)
    .addHelpText(
      "after",
      `
${EXIT_CODES}

Examples:
  $ coseflow audit tail
  $ coseflow audit tail --count 100 --json`,
    )
    .action(({ count, json, db }) => {
      const log = openAudit(db);
      try {
        for (const row of log.tail(count))
          output.out(`${json ? JSON.stringify(rowToJson(row)) : rowToText(row)}\n`);
      } finally {
        log.close();
      }
    });

  audit
    .command("export-head")
    .description("print the last row's hash, to be kept where this machine cannot change it")
    .option(...DATABASE_OPTION)
    .addHelpText(
      "after",
      `
It is one line of JSON, for "audit verify --head".

${EXIT_CODES}

Example:
  $ coseflow audit export-head > /mnt/elsewhere/audit.head`,
    )
    .action(({ db }) => {
      const log = openAudit(db);
      try {
        output.out(encodeHead(log.head()));
      } finally {
        log.close();
      }
    });
}
