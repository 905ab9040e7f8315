import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { databaseId } from "../../../cloud/audit/log.ts";
import { verifyAudit } from "../../../cloud/audit/verify.ts";
import type { Store } from "../../../cloud/store/store.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
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
const OTHER = deviceOf("b");
let bench: StoreBench;

beforeEach(() => {
  bench = openStoreBench(temporary());
});
afterEach(() => bench.close());

const reply = (command: Bytes, deleted = true) => ({
  ...{ device: DEVICE.kid, counter: 9, command, content: "ok" as Bytes, at: NOW + 9, deleted },
});

async function issue(store: Store, change = {}) {
  const command = await store.issueCommand(draftOf(DEVICE, change), makeCommand);
  if (typeof command === "string") throw new Error(`command, expected one, got ${command}`);
  return command;
}

const lines = () => readFileSync(bench.journal, "utf8").trimEnd().split("\n");

describe("an old backup put back", () => {
  let backup: string;

  /** What happened after the backup is lost to the database, and not to the journal. */
  async function restored(): Promise<Store> {
    await bench.close();
    bench.restore(backup);
    return bench.open();
  }

  beforeEach(async () => {
    await bench.store.makeClaim(claimOf("c"));
    await bench.store.registerDevice(DEVICE, NOW);
    backup = await bench.backUp();
  });

  it("leaves a revoked device revoked", async () => {
    await bench.store.revokeDevice(DEVICE.kid, NOW);
    const store = await restored();
    expect(await store.findDevice(DEVICE.kid)).toMatchObject({ state: "revoked" });
    await expect(store.registerDevice(DEVICE, NOW)).rejects.toMatchObject({ code: "kid" });
  });

  it("leaves a device closed from its delete command on, and deleted after the reply", async () => {
    const command = await issue(bench.store, { action: "delete" });
    const store = await restored();
    expect(await store.findDevice(DEVICE.kid)).toMatchObject({ state: "deleting" });
    const again = await issue(store, { action: "delete" });
    expect(again.counter).toBeGreaterThan(command.counter);
    await store.commitReply(reply(again.hash), hashOf("reply"));
    const last = await restored();
    expect(await last.findDevice(DEVICE.kid)).toMatchObject({ state: "deleted" });
    const claim = { claim: undefined, deviceId: "other", enrolledAt: NOW };
    expect(await last.judgeEnrolment(enrolmentOf(DEVICE, claim), NOW)).toBe("device-deleted");
  });

  it("keeps the tombstone of a device that it never knew, full key included", async () => {
    await bench.store.registerDevice(OTHER, NOW);
    await bench.store.revokeDevice(OTHER.kid, NOW);
    const store = await restored();
    const { publicKey, thumbprint } = OTHER;
    expect(await store.findDevice(OTHER.kid)).toMatchObject({
      publicKey,
      thumbprint,
      state: "revoked",
    });
  });

  it("leaves a spent claim spent for every other key, and lets its own key in again", async () => {
    await bench.store.commitEnrolment(enrolmentOf(OTHER), hashOf("n"));
    const store = await restored();
    expect(await store.findDevice(OTHER.kid)).toBeUndefined();
    const thief = enrolmentOf(deviceOf("thief"), { deviceId: "shed" });
    expect(await store.commitEnrolment(thief, hashOf("t"))).toEqual({ refused: "claim-used" });
    expect(await store.commitEnrolment(enrolmentOf(OTHER), hashOf("n"))).toBe("stored");
  });

  it("goes on after the last command counter, with a clock that stands still or goes back", async () => {
    const { counter } = await issue(bench.store);
    bench.clock.now -= 5000;
    expect((await issue(await restored())).counter).toBe(counter + 1);
  });

  it("says in the audit log which rows are missing", async () => {
    for (const count of [1, 2, 3]) {
      const event = {
        device: DEVICE.kid,
        counter: count,
        receivedAt: NOW,
        payload: "p" as Bytes,
        bootReport: undefined,
      };
      await bench.store.commitEvent(event, hashOf(`${count}`));
    }
    const store = await restored();
    const [last] = bench.audit().slice(-1);
    expect(last).toMatchObject({ kind: "act", class: "journal", reason: "audit-gap" });
    expect(JSON.parse(last?.details as string)).toMatchObject({ sequence: 5 });
    const report = verifyAudit(bench.sql(databaseId), bench.audit(), []);
    expect(report).toMatchObject({ findings: [], gaps: [last?.sequence] });
    await store.close();
  });

  it("is brought up once: the next start adds nothing", async () => {
    await bench.store.revokeDevice(DEVICE.kid, NOW);
    await (await restored()).close();
    const rows = bench.audit().length;
    await bench.open().close();
    expect(bench.audit()).toHaveLength(rows);
  });
});

describe("a crash between the journal and the database", () => {
  /** The database refuses to commit once, as a full disk would; the journal has its line. */
  async function failCommit(run: () => Promise<unknown>): Promise<void> {
    const before = lines().length;
    bench.sql((database) =>
      database.exec(
        `CREATE TRIGGER full BEFORE UPDATE OF size ON journal
         BEGIN SELECT RAISE(ABORT, 'disk full'); END`,
      ),
    );
    await expect(run()).rejects.toThrow("disk full");
    bench.sql((database) => database.exec("DROP TRIGGER full"));
    expect(lines()).toHaveLength(before + 1);
  }

  beforeEach(async () => {
    await bench.store.makeClaim(claimOf("c"));
    await bench.store.registerDevice(DEVICE, NOW);
  });

  it("closes the device at the next start", async () => {
    await failCommit(() => bench.store.revokeDevice(DEVICE.kid, NOW));
    expect(await bench.store.findDevice(DEVICE.kid)).toMatchObject({ state: "registered" });
    const next = bench.open();
    expect(await next.findDevice(DEVICE.kid)).toMatchObject({ state: "revoked" });
    expect(bench.audit().at(-1)).toMatchObject({ class: "journal", reason: "replayed" });
  });

  it("is made good before the next protected transaction, too", async () => {
    await failCommit(() => bench.store.revokeDevice(DEVICE.kid, NOW));
    expect(await bench.store.issueCommand(draftOf(DEVICE), makeCommand)).toBe("device-revoked");
  });

  it("lets the key in whose claim it was, even after the claim's time, and no other", async () => {
    await failCommit(() => bench.store.commitEnrolment(enrolmentOf(OTHER), hashOf("n")));
    const late = { enrolledAt: NOW + 9999 };
    const thief = enrolmentOf(deviceOf("thief"), late);
    const next = bench.open();
    expect(await next.commitEnrolment(thief, hashOf("t"))).toEqual({ refused: "claim-used" });
    expect(await next.commitEnrolment(enrolmentOf(OTHER, late), hashOf("n"))).toBe("stored");
  });

  it("never uses a command counter twice", async () => {
    let lost = 0;
    await failCommit(() =>
      bench.store.issueCommand(draftOf(DEVICE), (counter) => {
        lost = counter;
        return makeCommand(counter);
      }),
    );
    const { counter } = await issue(bench.store);
    expect(counter).toBe(lost + 1);
  });

  it("counts no line whose last bytes are missing or broken", async () => {
    await bench.store.revokeDevice(DEVICE.kid, NOW);
    await bench.close();
    const whole = readFileSync(bench.journal);
    for (const torn of ["0123456789abcdef [{", "\0".repeat(300), "0123456789abcdef []\n"]) {
      appendFileSync(bench.journal, torn);
      const store = bench.open();
      await store.makeClaim(claimOf(torn));
      await store.registerDevice(deviceOf(torn), NOW);
      await store.revokeDevice(deviceOf(torn).kid, NOW);
      await store.close();
      expect(readFileSync(bench.journal).subarray(0, whole.length)).toEqual(whole);
      expect(readFileSync(bench.journal, "utf8")).not.toContain(torn);
    }
    expect(await bench.open().findDevice(deviceOf("\0".repeat(300)).kid)).toMatchObject({
      state: "revoked",
    });
  });
});

describe("a journal that does not fit", () => {
  beforeEach(async () => {
    await bench.store.registerDevice(DEVICE, NOW);
    await bench.store.revokeDevice(DEVICE.kid, NOW);
    await bench.close();
  });

  it("with damage in the middle is refused, with the place", () => {
    const file = openSync(bench.journal, "r+");
    writeSync(file, "X", 30);
    closeSync(file);
    expect(() => bench.open()).toThrow(
      /cloud\.db\.journal, expected whole lines, got a damaged one at byte 0/,
    );
  });

  it("with a line taken out is refused", () => {
    const [first, , ...rest] = lines();
    writeFileSync(bench.journal, `${[first, ...rest, first].join("\n")}\n`);
    expect(() => bench.open()).toThrow(/damaged/);
  });

  it("that is older than its database is refused", () => {
    const [first = ""] = lines();
    truncateSync(bench.journal, first.length + 1);
    expect(() => bench.open()).toThrow(/older or another copy/);
  });

  it("of another database is refused, on both sides", async () => {
    const other = openStoreBench(temporary());
    await other.close();
    renameSync(other.journal, bench.journal);
    expect(() => bench.open()).toThrow(/got another's/);
    rmSync(bench.path);
    expect(() => bench.open()).toThrow(/got another's/);
  });

  it("that is gone is not made anew in silence", () => {
    rmSync(bench.journal);
    expect(() => bench.open()).toThrow(/expected the journal beside its database, got none/);
    expect(existsSync(bench.journal)).toBe(false);
  });
});

it("is its owner's alone and holds no name of a person or device", async () => {
  await bench.store.makeClaim(claimOf("c"));
  await bench.store.commitEnrolment(enrolmentOf(DEVICE), hashOf("n"));
  await issue(bench.store);
  expect(statSync(bench.journal).mode & 0o777).toBe(0o600);
  const text = readFileSync(bench.journal, "utf8");
  expect(text).toContain('"claim"');
  expect(text).toContain('"command"');
  for (const name of ["ann", "boiler"]) expect(text).not.toContain(name);
});

it("gets the audit log's head when the store is closed, once", async () => {
  await bench.store.registerDevice(DEVICE, NOW);
  await bench.close();
  expect(lines().at(-1)).toContain('"kind":"head","sequence":1');
  const count = lines().length;
  await bench.open().close();
  expect(lines()).toHaveLength(count);
});

it("gets the audit log's head each hour", async () => {
  vi.useFakeTimers();
  try {
    const store = bench.open();
    await store.registerDevice(DEVICE, NOW);
    vi.advanceTimersByTime(3_599_000);
    expect(lines()).toHaveLength(1);
    vi.advanceTimersByTime(1000);
    expect(lines().at(-1)).toContain('"kind":"head","sequence":1');
    await store.close();
  } finally {
    vi.useRealTimers();
  }
});
