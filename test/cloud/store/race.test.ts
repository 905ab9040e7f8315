import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it } from "vitest";
import { databaseId } from "../../../cloud/audit/log.ts";
import { verifyAudit } from "../../../cloud/audit/verify.ts";
import { claimOf, deviceOf, NOW, openStoreBench, type StoreBench } from "../support/store-bench.ts";
import { temporaryDirectories } from "../support/temporary.ts";

/** Two processes at one database and journal, at the same time. */
const temporary = temporaryDirectories();
const BUILT = join(import.meta.dirname, "../../../dist");
const CLAIMS = 12;
const DEVICE = deviceOf("a");
let bench: StoreBench;

beforeEach(() => {
  bench = openStoreBench(temporary());
});
afterEach(() => bench.close());

/** What a child does: says that it is ready, waits for a line, then tries everything. */
const CHILD = `
  const [, database, name] = process.argv;
  const { openSqliteStore } = await import("${BUILT}/cloud/store/sqlite.js");
  const bench = await import("${BUILT}/test/cloud/support/store-bench.js");
  const store = openSqliteStore(database);
  console.log("ready");
  await new Promise((resolve) => process.stdin.once("data", resolve));
  const outcomes = [];
  for (let i = 0; i < ${CLAIMS}; i++) {
    const device = bench.deviceOf(name + i);
    const enrolment = bench.enrolmentOf(device, { claim: bench.hashOf("claim " + i), deviceId: name + i });
    const outcome = await store.commitEnrolment(enrolment, bench.hashOf("n"));
    const command = await store.issueCommand(bench.draftOf(bench.deviceOf("a")), bench.makeCommand);
    outcomes.push([outcome.refused ?? outcome, command.counter]);
  }
  await store.close();
  console.log(JSON.stringify(outcomes));
  process.exit(0);
`;

function startChild(name: string) {
  const args = ["--input-type=module", "-e", CHILD, bench.path, name];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ready: lines.next(),
    go: () => child.stdin.write("go\n"),
    async outcomes(): Promise<[string, number][]> {
      const ended = once(child, "exit");
      const { value } = await lines.next();
      await ended;
      return JSON.parse(value as string);
    },
  };
}

it("each claim lets one device in, and each command has a counter of its own", async () => {
  await bench.store.registerDevice(DEVICE, NOW);
  for (let i = 0; i < CLAIMS; i++) await bench.store.makeClaim(claimOf(`claim ${i}`));
  const children = [startChild("x"), startChild("y")];
  await Promise.all(children.map(({ ready }) => ready));
  for (const { go } of children) go();
  const [x = [], y = []] = await Promise.all(children.map((child) => child.outcomes()));
  for (let i = 0; i < CLAIMS; i++)
    expect([x[i]?.[0], y[i]?.[0]].sort()).toEqual(["claim-used", "stored"]);
  const counters = [...x, ...y].map(([, counter]) => counter);
  expect(new Set(counters).size).toBe(2 * CLAIMS);
  await bench.close();
  // The journal fits what both have done: nothing is to be brought in.
  await bench.open().close();
  expect(bench.audit().filter(({ class: name }) => name === "journal")).toEqual([]);
});

/** Issues commands one after the other, and prints the counter of each that is stored. */
const ENDLESS = `
  const [, database] = process.argv;
  const { openSqliteStore } = await import("${BUILT}/cloud/store/sqlite.js");
  const bench = await import("${BUILT}/test/cloud/support/store-bench.js");
  const store = openSqliteStore(database);
  for (;;) {
    const draft = bench.draftOf(bench.deviceOf("a"));
    console.log((await store.issueCommand(draft, bench.makeCommand)).counter);
  }
`;

it("a process killed at any moment leaves database, log and journal that fit", async () => {
  await bench.store.registerDevice(DEVICE, NOW);
  await bench.close();
  const told: number[] = [];
  for (let round = 1; round <= 5; round++) {
    const args = ["--input-type=module", "-e", ENDLESS, bench.path];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit");
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => {
      told.push(Number(line));
      if (told.length >= 7 * round) child.kill("SIGKILL");
    });
    await Promise.all([ended, once(lines, "close")]);
    const store = bench.open();
    const stored = (await store.listCommands(DEVICE.kid)).map(({ counter }) => counter);
    expect(stored).toEqual(expect.arrayContaining(told));
    expect(told).toEqual([...new Set(told)].sort((a, b) => a - b));
    await store.close();
    expect(verifyAudit(bench.sql(databaseId), bench.audit(), []).findings).toEqual([]);
  }
});
