/** The order of a command's checks, and that each leads to one reply. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bytes } from "../../../protocol/bytes.ts";
import {
  ACTION_DELETE,
  ACTION_REQUEST,
  ACTION_UPDATE,
  FORM_PLAIN,
  FORM_SEALED,
  FORM_SIGNED,
} from "../../../protocol/command-content.ts";
import {
  REASON_CERTIFICATE,
  REASON_DEVICE,
  REASON_SETTINGS,
  REASON_USER,
  STATUS_DELETED,
  STATUS_DONE,
  STATUS_EXPIRED,
  STATUS_POLICY,
  STATUS_REFUSED,
  STATUS_STALE,
} from "../../../protocol/reply-message.ts";
import {
  type Authority,
  type BenchOptions,
  commandOf,
  createCommandBench,
  makeAuthority,
  NOW,
} from "../../support/command-bench.ts";
import { makeParty } from "../../support/parties.ts";
import { openBase } from "../../support/world/world.ts";

const base = openBase();
let authority: Authority;
beforeAll(async () => {
  authority = await makeAuthority();
});
afterAll(() => base.close());

const COUNTER = commandOf(ACTION_UPDATE).counter;
const sensors = (periodSeconds: number, sensor = 0) => ({
  sensors: [{ sensor, periodSeconds, qos: 1 as const, drop: "newest" as const }],
});
const period = (seconds: number, changes = {}) =>
  commandOf(ACTION_UPDATE, { update: sensors(seconds), ...changes });

function started(options: BenchOptions = {}) {
  const bench = createCommandBench(base.crypto, authority, options);
  bench.boot();
  return bench;
}

/** Sends one command and gives its replies as [status, detail]. */
function answer(bench: ReturnType<typeof started>, made: ReturnType<typeof bench.sealed>) {
  bench.take(made.message);
  bench.collect();
  return bench.repliesTo(made).map(({ status, detail }) => [status, detail]);
}

describe("a command", () => {
  it("is carried out, live, and answered once; its repeat gets the stored reply", () => {
    const bench = started();
    const made = bench.sealed(period(5));
    expect(answer(bench, made)).toEqual([[STATUS_DONE, 0]]);
    expect(bench.samples).toEqual([5]);
    expect(bench.board.sensors[0]).toMatchObject({ periodSeconds: 5, drop: "newest" });
    expect(answer(bench, made)).toEqual([[STATUS_DONE, 0]]);
    expect(bench.samples).toEqual([5]);
    bench.boot();
    expect(bench.board.sensors[0]).toMatchObject({ periodSeconds: 5, drop: "newest" });
  });

  it("that is not above the last is stale, with the last counter", () => {
    const bench = started();
    bench.take(bench.sealed(period(5)).message);
    const before = bench.sealed(period(7, { counter: COUNTER - 1 }));
    const beside = bench.sealed(period(7));
    expect(answer(bench, before)).toEqual([[STATUS_STALE, COUNTER]]);
    expect(answer(bench, beside)).toEqual([[STATUS_STALE, COUNTER]]);
    expect(bench.samples).toEqual([5]);
  });

  it.each([
    ["another device id", { deviceId: "barn" as Bytes }, [STATUS_REFUSED, REASON_DEVICE]],
    ["another user id", { userId: "bob" as Bytes }, [STATUS_REFUSED, REASON_USER]],
    ["an end before the floor", { issued: NOW - 99, expires: NOW - 1 }, [STATUS_EXPIRED, NOW]],
    ["a sensor that is not there", { update: sensors(5, 3) }, [STATUS_REFUSED, REASON_SETTINGS]],
    [
      "a counter without room above",
      { update: { deviceCounter: 2 ** 32 - 1 } },
      [STATUS_REFUSED, REASON_SETTINGS],
    ],
    [
      "Wi-Fi for a board without",
      { update: { wifi: [{ ssid: "a" as Bytes, password: "" as Bytes }] } },
      [STATUS_REFUSED, REASON_SETTINGS],
    ],
    [
      "a certificate that is none",
      { update: { cloudCertificate: "0" as Bytes } },
      [STATUS_REFUSED, REASON_CERTIFICATE],
    ],
  ])("with %s is refused and changes nothing", (_what, changes, expected) => {
    const bench = started();
    const made = bench.sealed(period(5, changes));
    expect(answer(bench, made)).toEqual([expected]);
    expect(answer(bench, made)).toEqual([expected]);
    expect(bench.samples).toEqual([]);
    expect(bench.memory.records.has("set")).toBe(false);
  });

  it("keeps the provisioner's certificate for those that come without", () => {
    const bench = started();
    const without = bench.bare(period(6, { counter: COUNTER + 1 }));
    expect(bench.take(without.message)).toBe(false);
    bench.take(bench.sealed(period(5)).message);
    expect(answer(bench, without)).toEqual([[STATUS_DONE, 0]]);
  });

  it("of a device that was registered by hand is bound by its key alone", () => {
    const bench = started({ ids: undefined });
    const made = bench.sealed(period(5, { deviceId: "any" as Bytes, userId: "one" as Bytes }));
    expect(answer(bench, made)).toEqual([[STATUS_DONE, 0]]);
  });

  it("moves the device counter forward", () => {
    const bench = started();
    bench.take(
      bench.sealed(commandOf(ACTION_UPDATE, { update: { deviceCounter: 70_000 } })).message,
    );
    bench.collect();
    expect(bench.replies.map(({ counter }) => counter)).toEqual([70_001]);
  });

  it("that nobody vouches for is refused without a trace", async () => {
    const bench = started();
    const stranger = makeParty();
    const registrar = await authority.leaf("registrar", stranger.publicKey);
    const good = bench.sealed(period(5));
    const forged = `${good.message.slice(0, -1)}${good.message.endsWith("a") ? "b" : "a"}` as Bytes;
    expect(bench.take(forged)).toBe(false);
    expect(bench.take(bench.sealed(period(5), registrar.der).message)).toBe(false);
    expect(bench.take("\xd2junk" as Bytes)).toBe(false);
    expect(bench.log.filter((line) => line.startsWith("refused"))).toEqual([
      "refused: signature",
      "refused: certificate",
      "refused: profile",
    ]);
    expect(bench.memory.records.has("cmd")).toBe(false);
    expect(bench.memory.counter).toBe(0);
  });

  it("is passed over while too many are verified", () => {
    const bench = started();
    bench.budget.verifications = 0;
    expect(answer(bench, bench.sealed(period(5)))).toEqual([]);
    expect(bench.memory.records.has("cmd")).toBe(false);
  });
});

describe("a command for a device that was deleted", () => {
  it("finds nobody who obeys, while the farewell is sent and after it", () => {
    const bench = started();
    const held = bench.sealed(period(5));
    const made = bench.sealed(commandOf(ACTION_DELETE, { counter: COUNTER + 1 }));
    bench.take(made.message);
    for (let boot = 0; boot < 3; boot++) {
      bench.boot();
      expect(bench.take(held.message)).toBe(false);
      bench.collect();
    }
    expect(bench.repliesTo(made).map(({ status }) => status)).toEqual([STATUS_DELETED]);
    expect(bench.repliesTo(held)).toEqual([]);
    expect([bench.samples, bench.memory.keys.size, bench.files.size]).toEqual([[], 0, 0]);
  });
});

describe("a request", () => {
  const request = (changes = {}) => commandOf(ACTION_REQUEST, changes);

  it("that is sealed may name another user and a claim", () => {
    const bench = started();
    const claim = "c".repeat(16) as Bytes;
    const made = bench.sealed(request({ userId: "bob" as Bytes, claim }));
    expect(answer(bench, made)).toEqual([[STATUS_DONE, 0]]);
    expect(bench.enrols).toEqual(["asked"]);
  });

  it.each([
    [FORM_SEALED, "signed", [STATUS_POLICY, FORM_SEALED]],
    [FORM_SIGNED, "signed", [STATUS_DONE, 0]],
    [FORM_PLAIN, "signed", [STATUS_DONE, 0]],
    [FORM_PLAIN, "plain", [STATUS_DONE, 0]],
  ] as const)("under policy %i in %s form is answered", (requestForm, form, expected) => {
    const bench = started({ requestForm });
    expect(answer(bench, bench[form](request()))).toEqual([expected]);
    expect(bench.enrols.length).toBe(expected[0] === STATUS_DONE ? 1 : 0);
  });

  it("in plain form that the policy does not allow is worth no answer: anybody can make it", () => {
    const bench = started({ requestForm: FORM_SIGNED });
    expect(bench.take(bench.plain(request()).message)).toBe(false);
    expect(bench.log.at(-1)).toBe("refused: profile");
    expect(bench.memory.counter).toBe(0);
  });

  it("that others can read moves no device to another user", () => {
    const bench = started({ requestForm: FORM_PLAIN });
    const bob = request({ userId: "bob" as Bytes });
    expect(answer(bench, bench.plain(bob))).toEqual([[STATUS_REFUSED, REASON_USER]]);
    expect(answer(bench, bench.signed(bob))).toEqual([[STATUS_REFUSED, REASON_USER]]);
    expect(bench.enrols).toEqual([]);
  });
});
