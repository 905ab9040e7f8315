import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { databaseId } from "../../../cloud/audit/log.ts";
import { type AuditRow, hashOfRow } from "../../../cloud/audit/row.ts";
import { type ExpectedHead, verifyAudit } from "../../../cloud/audit/verify.ts";
import { type Bytes, toHex } from "../../../protocol/bytes.ts";
import {
  claimOf,
  deviceOf,
  draftOf,
  enrolmentOf,
  hashOf,
  makeCommand,
  NOW,
  openStoreBench,
  type StoreBench,
} from "../support/store-bench.ts";
import { temporaryDirectories } from "../support/temporary.ts";

const temporary = temporaryDirectories();
const DEVICE = deviceOf("a");
let bench: StoreBench;

beforeEach(() => {
  bench = openStoreBench(temporary());
});
afterEach(() => bench.close());

const event = (counter: number) => ({
  ...{
    device: DEVICE.kid,
    counter,
    receivedAt: NOW,
    payload: "secret reading" as Bytes,
    bootReport: undefined,
  },
});

/** One line for each row: what it says, without hashes. */
function said(): string[] {
  return bench
    .audit()
    .map(({ kind, class: name, reason }) => [kind, name, reason].join(" ").trim());
}

function verify(rows: AuditRow[], heads: ExpectedHead[] = []) {
  return verifyAudit(bench.sql(databaseId), rows, heads);
}

describe("the audit log", () => {
  it("has a row for each accepted signed message, each receipt of new readings and each act", async () => {
    const { store } = bench;
    await store.registerDevice(DEVICE, NOW);
    await store.registerDevice(DEVICE, NOW);
    await store.registerDevice({ ...DEVICE, name: "shed" }, NOW);
    const session = { device: DEVICE.kid, counter: 1, sealedKey: "k" as Bytes, committedAt: NOW };
    await store.commitSession({ ...session, baseIv: "i".repeat(12) as Bytes }, hashOf("s"));
    await store.commitEvent(event(2), hashOf("e"));
    await store.commitEvent(event(2), hashOf("e"));
    await store.commitEvent(event(2), hashOf("other"));
    await store.takeReceipt(DEVICE.kid, 9, [{ session: 1, first: 4, last: 7 }]);
    await store.takeReceipt(DEVICE.kid, 9, []);
    await store.makeClaim(claimOf("c"));
    await store.commitEnrolment(enrolmentOf(DEVICE, { counter: 3 }), hashOf("n"));
    await store.issueCommand(draftOf(DEVICE), makeCommand);
    await store.revokeDevice(DEVICE.kid, NOW);
    expect(said()).toEqual([
      ...["act register", "act change", "accept session", "accept event", "accept reading"],
      ...[
        "act claim",
        "accept enrol",
        "act claim-used",
        "act certificate",
        "act command",
        "act revoke",
      ],
    ]);
    const [, , , accepted, told] = bench.audit();
    expect(accepted).toMatchObject({ at: bench.clock.now, kid: DEVICE.kid });
    expect(JSON.parse(accepted?.details as string)).toEqual({
      counter: 2,
      hash: toHex(hashOf("e")),
    });
    expect(told?.details).toBe('{"ranges":[[1,4,7]]}');
    const everything = JSON.stringify(bench.audit());
    for (const secret of ["ann", "boiler", "secret", "shed"])
      expect(everything).not.toContain(secret);
  });

  it("holds no row of a transaction that failed", async () => {
    await bench.store.registerDevice(DEVICE, NOW);
    const broken = { ...event(1), receivedAt: null as unknown as number };
    await expect(bench.store.commitEvent(broken, hashOf("e"))).rejects.toThrow();
    expect(said()).toEqual(["act register"]);
  });

  it.each([
    ["UPDATE audit SET kid = NULL", /got an update/],
    ["DELETE FROM audit", /got a delete/],
    ["INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE sequence = 1", /next number/],
    [
      "INSERT INTO audit SELECT 9, at, kind, class, reason, kid, details, previous, hash FROM audit",
      /next number/,
    ],
  ])("refuses %s", async (statement, problem) => {
    await bench.store.registerDevice(DEVICE, NOW);
    expect(() => bench.sql((database) => database.exec(statement))).toThrow(problem);
    expect(said()).toEqual(["act register"]);
  });
});

describe("verifying", () => {
  beforeEach(async () => {
    await bench.store.registerDevice(DEVICE, NOW);
    for (const counter of [1, 2, 3, 4])
      await bench.store.commitEvent(event(counter), hashOf(`${counter}`));
  });

  it("finds nothing in a log that is whole, and says where it ends", () => {
    const rows = bench.audit();
    const report = verify(rows);
    expect(report).toMatchObject({ rows: 5, findings: [], gaps: [], head: { sequence: 5 } });
    expect(report.head.hash).toBe(rows[4]?.hash);
    expect(verify([])).toMatchObject({ rows: 0, findings: [] });
  });

  const forged = (row: AuditRow, change: Partial<AuditRow>): AuditRow => {
    const changed = { ...row, ...change };
    return { ...changed, hash: hashOfRow(changed) };
  };
  const at = (rows: AuditRow[], index: number) => rows[index] as AuditRow;

  it.each<[string, (rows: AuditRow[]) => AuditRow[], RegExp]>([
    ["a changed kind", (rows) => rows.with(1, { ...at(rows, 1), kind: "refuse" }), /was changed/],
    ["a changed time", (rows) => rows.with(1, { ...at(rows, 1), at: 5 }), /was changed/],
    ["changed details", (rows) => rows.with(1, { ...at(rows, 1), details: "{}" }), /was changed/],
    [
      "another key id",
      (rows) => rows.with(1, { ...at(rows, 1), kid: "12345678" as Bytes }),
      /was changed/,
    ],
    [
      "a reason moved into the class",
      (rows) => rows.with(1, { ...at(rows, 1), class: undefined, reason: "event" }),
      /was changed/,
    ],
    [
      "a change with a hash of its own",
      (rows) => rows.with(1, forged(at(rows, 1), { details: "{}" })),
      /row 3, expected the hash of the row before it/,
    ],
    ["a missing row", (rows) => rows.toSpliced(2, 1), /rows are missing/],
    [
      "a missing row, the rest numbered anew",
      (rows) => rows.toSpliced(2, 1).map((row, index) => ({ ...row, sequence: index + 1 })),
      /expected the hash of the row before it/,
    ],
    ["a missing first row", (rows) => rows.slice(1), /rows are missing/],
    [
      "two rows in each other's place",
      (rows) => [...rows.slice(0, 2), at(rows, 3), at(rows, 2)],
      /expected row 3/,
    ],
    ["a row twice", (rows) => rows.toSpliced(2, 0, at(rows, 1)), /expected row 3/],
  ])("finds %s", (_what, change, finding) => {
    expect(verify(change(bench.audit())).findings.join("\n")).toMatch(finding);
  });

  it("finds a cut tail, and a log made anew, against a head from before", () => {
    const rows = bench.audit();
    const head = { ...at(rows, 3), from: "a.head" };
    expect(verify(rows, [head]).findings).toEqual([]);
    expect(verify(rows.slice(0, 3), [head]).findings).toEqual([
      "log, expected row 4 of a.head, got the end at row 3: its tail was cut",
    ]);
    expect(verify(rows.slice(0, 3)).findings).toEqual([]);
    const other = { ...head, hash: hashOf("another log") };
    expect(verify(rows, [other]).findings.join()).toMatch(/the log was rewritten/);
  });

  it("knows the log of another database by its first row", () => {
    const report = verifyAudit("x".repeat(16) as Bytes, bench.audit(), []);
    expect(report.findings.join()).toMatch(/row 1, expected the hash of the row before it/);
  });
});

describe("refusals", () => {
  const refuse = (reason: string, text = "m") =>
    bench.store.countRefusal(reason, "event", DEVICE.kid, NOW, Buffer.from(text));
  const details = () => bench.audit().map(({ reason, details }) => `${reason} ${details}`);

  it("have a row each, with the hash of the message", async () => {
    await refuse("signature", "plaintext");
    await bench.store.counts();
    expect(said()).toEqual(["refuse event signature"]);
    expect(details()).toEqual([`signature {"message":"${toHex(hashOf("plaintext"))}"}`]);
  });

  it("in a flood are counted in one row a minute, and hide no other reason", async () => {
    for (let i = 0; i < 1000; i++) await refuse("device-unknown");
    await refuse("claim-unknown");
    await bench.store.counts();
    expect(said().filter((line) => line.endsWith("device-unknown"))).toHaveLength(16);
    expect(said()).toContain("refuse event claim-unknown");
    expect(details().at(-1)).toBe('more {"device-unknown":984}');
    for (let second = 1; second <= 29; second++) {
      bench.clock.now += 1000;
      for (let i = 0; i < 10; i++) await refuse("device-unknown");
      await bench.store.counts();
    }
    expect(details().filter((line) => line.startsWith("more"))).toHaveLength(1);
    bench.clock.now += 31_000;
    await refuse("device-unknown");
    await bench.store.counts();
    const more = details().filter((line) => line.startsWith("more"));
    expect(more[1]).toMatch(/^more \{"device-unknown":\d+\}$/);
    const rows = details().filter((line) => line.startsWith("device-unknown")).length;
    expect(rows).toBeLessThan(20);
    const counted = [...more.join().matchAll(/:(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
    expect(rows + counted).toBe(1000 + 29 * 10 + 1);
  });

  it("are written when the store is closed, and kept while the disk is full", async () => {
    for (let i = 0; i < 20; i++) await refuse("form");
    bench.sql((database) => {
      database.exec("BEGIN IMMEDIATE");
      database.exec("ALTER TABLE audit RENAME TO elsewhere");
      database.exec("COMMIT");
    });
    await expect(bench.store.counts()).rejects.toThrow();
    bench.sql((database) => database.exec("ALTER TABLE elsewhere RENAME TO audit"));
    await bench.close();
    expect(said().filter((line) => line.endsWith("form"))).toHaveLength(16);
    expect(details().at(-1)).toBe('more {"form":4}');
  });
});
