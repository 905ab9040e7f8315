import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { makeParty } from "../../support/parties.ts";
import { run } from "./run.ts";

const temporary = temporaryDirectories();
let directory: string;
let db: string;

/** What someone with the file and enough patience does: the triggers do not stop him. */
function tamper(sql: string): void {
  const database = new Database(db);
  for (const trigger of ["audit_append", "audit_update", "audit_delete"])
    database.exec(`DROP TRIGGER IF EXISTS ${trigger}`);
  database.exec(sql);
  database.close();
}

const publicKey = () => Buffer.from(makeParty().publicKey, "latin1").toString("hex");
const verify = (...args: string[]) => run("audit", "verify", ...args, "--db", db);

beforeEach(async () => {
  directory = temporary();
  db = join(directory, "cloud.db");
  for (const name of ["a", "b", "c"])
    await run("device", "register", "--key", publicKey(), "--name", name, "--db", db);
  await run("device", "revoke", "b", "--db", db);
});

describe("coseflow audit", () => {
  it("verifies a whole log", async () => {
    expect(await verify()).toMatchObject({
      ...{ code: 0, error: "", out: expect.stringMatching(/^whole: 4 rows, head [0-9a-f]{64}\n$/) },
    });
    const { out } = await verify("--json");
    expect(JSON.parse(out)).toMatchObject({ whole: true, rows: 4, findings: [], gaps: [] });
  });

  it.each([
    [
      "a changed row",
      "UPDATE audit SET kid = zeroblob(8) WHERE sequence = 2",
      /row 2.*was changed/,
    ],
    ["a missing row", "DELETE FROM audit WHERE sequence = 2", /row 3, expected row 2 here/],
    [
      "rows in another order",
      `UPDATE audit SET sequence = 9 WHERE sequence = 2; UPDATE audit SET sequence = 2 WHERE
       sequence = 3; UPDATE audit SET sequence = 3 WHERE sequence = 9`,
      /row 2, expected the hash of the row before it/,
    ],
    [
      "a tail that the journal knows",
      "DELETE FROM audit WHERE sequence = 4",
      /journal, got the end at row 3/,
    ],
    ["an empty log", "DELETE FROM audit", /its tail was cut/],
  ])("finds %s, with exit code 1", async (_what, sql, finding) => {
    tamper(sql);
    const { code, out, error } = await verify();
    expect(code).toBe(1);
    expect(out).toMatch(finding);
    expect(out).toMatch(/NOT whole/);
    expect(error).toBe("coseflow: audit log, expected a whole one, got findings\n");
    const json = JSON.parse((await verify("--json")).out);
    expect(json).toMatchObject({ whole: false });
    expect(json.findings.join("\n")).toMatch(finding);
  });

  it("finds a cut tail against an exported head, without a journal too", async () => {
    const head = join(directory, "head");
    const { out } = await run("audit", "export-head", "--db", db);
    expect(out).toMatch(/^\{"database":"[0-9a-f]{32}","sequence":4,"hash":"[0-9a-f]{64}"\}\n$/);
    writeFileSync(head, out);
    rmSync(`${db}.journal`);
    expect((await verify("--head", head)).code).toBe(0);
    tamper("DELETE FROM audit WHERE sequence = 4");
    expect((await verify()).code).toBe(0);
    const cut = await verify("--head", head);
    expect(cut.code).toBe(1);
    expect(cut.out).toContain(`expected row 4 of ${head}, got the end at row 3: its tail was cut`);
  });

  it("reads and changes nothing", async () => {
    const before = readFileSync(db);
    await verify();
    await run("audit", "tail", "--db", db);
    expect(readFileSync(db)).toEqual(before);
  });

  it("prints the last rows", async () => {
    const { out } = await run("audit", "tail", "--count", "2", "--db", db);
    expect(out).toMatch(
      /^\S+Z {2}#3 {2}act {2}register {2}[0-9a-f]{16}\n\S+ {2}#4 {2}act {2}revoke/,
    );
    const lines = (await run("audit", "tail", "--json", "--db", db)).out.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      ...Array(3).fill({ kind: "act", class: "register", reason: null, details: {} }),
      { sequence: 4, kind: "act", class: "revoke" },
    ]);
  });

  it("refuses what is no head, a head of another database, and no database", async () => {
    const head = join(directory, "head");
    for (const text of ["", "{}", "null", '{"database":"00","sequence":1,"hash":"00"}']) {
      writeFileSync(head, text);
      expect((await verify("--head", head)).error).toMatch(/^coseflow: audit head, expected what/);
    }
    const { out } = await run("audit", "export-head", "--db", db);
    writeFileSync(head, JSON.stringify({ ...JSON.parse(out), database: "00".repeat(16) }));
    expect((await verify("--head", head)).error).toMatch(/expected a head of this database/);
    const none = await run("audit", "tail", "--db", join(directory, "none.db"));
    expect(none).toMatchObject({
      code: 1,
      error: expect.stringMatching(/none\.db, expected a database/),
    });
    new Database(join(directory, "old.db")).exec("CREATE TABLE device (kid)").close();
    const old = await run("audit", "tail", "--db", join(directory, "old.db"));
    expect(old.error).toMatch(/expected an audit log, got none/);
  });
});

describe("an operator who puts an old backup back", () => {
  it("finds a revoked device still revoked, and the log says what is missing", async () => {
    const backup = join(directory, "backup.db");
    copyFileSync(db, backup);
    await run("device", "revoke", "a", "--db", db);
    copyFileSync(backup, db);
    expect((await run("device", "show", "a", "--db", db)).out).toMatch(/^state +revoked$/m);
    const { code, out } = await verify();
    expect(code).toBe(0);
    expect(out).toMatch(/^note: row \d says that an older database was put back/);
  });
});

describe("coseflow journal rebuild", () => {
  it("makes a lost journal anew, and never replaces one", async () => {
    const there = await run("journal", "rebuild", "--db", db);
    expect(there).toMatchObject({ code: 1, error: expect.stringMatching(/it is never replaced/) });
    rmSync(`${db}.journal`);
    const lost = await run("device", "list", "--db", db);
    expect(lost).toMatchObject({
      code: 1,
      error: expect.stringMatching(/coseflow journal rebuild/),
    });
    expect((await run("journal", "rebuild", "--db", db)).code).toBe(0);
    expect(readFileSync(`${db}.journal`, "utf8")).toContain('"revoked"');
    expect((await run("device", "list", "--db", db)).code).toBe(0);
    expect((await verify()).code).toBe(0);
    const none = await run("journal", "rebuild", "--db", join(directory, "none.db"));
    expect(none).toMatchObject({ code: 1, error: expect.stringMatching(/no such file/) });
  });
});
