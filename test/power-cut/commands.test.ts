/**
 * The power is cut at every write that a command leads to, and again in the boot that
 * follows. The provisioner sends its bytes again until there is a reply. Whatever happens,
 * the command has had its effect, its reply says so, and no counter names two messages.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Bytes } from "../../protocol/bytes.ts";
import {
  ACTION_DELETE,
  ACTION_REQUEST,
  ACTION_UPDATE,
  type Command,
} from "../../protocol/command-content.ts";
import {
  REASON_SETTINGS,
  STATUS_DELETED,
  STATUS_DONE,
  STATUS_REFUSED,
} from "../../protocol/reply-message.ts";
import {
  type Authority,
  type BenchOptions,
  type CommandBench,
  commandOf,
  createCommandBench,
  makeAuthority,
  NOW,
} from "../support/command-bench.ts";
import { openBase } from "../support/world/world.ts";

const base = openBase();
let authority: Authority;
beforeAll(async () => {
  authority = await makeAuthority();
});
afterAll(() => base.close());

/** Boots, restarts that are meant included, within which any command is answered. */
const MAX_BOOTS = 12;

interface Case {
  command: Command;
  options?: BenchOptions;
  /** Whether new networks lead to a broker. */
  works?: boolean;
  /** Status and detail of the reply. */
  reply: [number, number];
  /** What is to be true in the end. */
  check: (bench: CommandBench) => void;
}

function live(test: Case, plan: number[]): CommandBench {
  const bench = createCommandBench(base.crypto, authority, { ...test.options, plan });
  const made = bench.sealed(test.command);
  while (bench.repliesTo(made).length === 0 && bench.boots() < MAX_BOOTS) {
    bench.boot();
    if (bench.isOnTrial()) bench.endTrial(test.works ?? true);
    else bench.take(made.message);
    bench.collect();
  }
  // One boot more: what a cut has left is put right, and no second reply appears.
  bench.boot();
  bench.collect();
  bench.boot();
  expect(bench.uncaught).toEqual([]);
  expect(bench.repliesTo(made).map(({ status, detail }) => [status, detail])).toEqual(
    bench.repliesTo(made).map(() => test.reply),
  );
  expect(bench.repliesTo(made).length).toBeGreaterThan(0);
  test.check(bench);
  return bench;
}

/** At every point of the first two boots, and at pairs of them. */
function cutAll(test: Case): number {
  const probe = createCommandBench(base.crypto, authority, test.options);
  probe.boot();
  probe.take(probe.sealed(test.command).message);
  probe.collect();
  const points = probe.points();
  live(test, []);
  let lives = 1;
  for (let first = 1; first <= points; first++) {
    live(test, [first]);
    lives++;
    for (let second = 1; second <= points; second += 3) {
      live(test, [first, second]);
      lives++;
    }
    live(test, [NEVER, first]);
    lives++;
  }
  return lives;
}
const NEVER = 100_000;

const update = (changes: Command["update"]) =>
  commandOf(ACTION_UPDATE, changes === undefined ? {} : { update: changes });
const brokers = [{ host: "new.example" as Bytes, port: 8883, tls: true, maxQos: 2 as const }];

const CASES: [string, Case][] = [
  [
    "sensors, issued-not-before and the counter",
    {
      command: update({
        sensors: [{ sensor: 0, periodSeconds: 5, qos: 0, drop: "newest" }],
        issuedNotBefore: { cloud: 0, registrar: NOW - 50, provisioner: 0 },
        deviceCounter: 5000,
      }),
      reply: [STATUS_DONE, 0],
      check(bench) {
        expect(bench.board.sensors[0]).toMatchObject({ periodSeconds: 5, qos: 0, drop: "newest" });
        expect(bench.memory.counter).toBeGreaterThan(5000);
        expect(bench.replies.every(({ counter }) => counter > 5000)).toBe(true);
      },
    },
  ],
  [
    "networks that work",
    {
      command: update({ brokers }),
      reply: [STATUS_DONE, 0],
      check: (bench) => expect(bench.settings.brokers).toMatchObject([{ host: "new.example" }]),
    },
  ],
  [
    "networks that lead to no broker",
    {
      command: update({ brokers }),
      works: false,
      reply: [STATUS_REFUSED, REASON_SETTINGS],
      check: (bench) => expect(bench.settings.brokers).toMatchObject([{ host: "old.example" }]),
    },
  ],
  [
    "a request",
    {
      command: commandOf(ACTION_REQUEST, { userId: "bob" as Bytes }),
      reply: [STATUS_DONE, 0],
      check: (bench) => expect(bench.memory.records.get("ask")).toContain("bob"),
    },
  ],
  [
    "a delete",
    {
      command: commandOf(ACTION_DELETE),
      reply: [STATUS_DELETED, 0],
      check(bench) {
        expect(bench.files.size).toBe(0);
        expect(bench.memory.keys.size).toBe(0);
        expect([...bench.memory.records.keys()]).toEqual([]);
      },
    },
  ],
];

it.each(CASES)("survives at every write: %s", { timeout: 300_000 }, (_name, test) => {
  const lives = cutAll(test);
  console.log(`${lives} lives`);
  expect(lives).toBeGreaterThan(10);
});
