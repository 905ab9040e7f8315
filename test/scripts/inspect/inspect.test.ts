import { chmodSync } from "node:fs";
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Bytes } from "../../../protocol/bytes.ts";
import type { MessageClass } from "../../../protocol/topics.ts";
import { INSPECTORS, type Inspectors } from "../../../scripts/inspect/classes.ts";
import { openEvidence } from "../../../scripts/inspect/evidence.ts";
import { isSound, MAX_MESSAGE } from "../../../scripts/inspect/inspect.ts";
import { reportJson, reportText } from "../../../scripts/inspect/print.ts";
import { type SignedRule, signedClass } from "../../../scripts/inspect/signed.ts";
import { celsius } from "../../cloud/support/test-device.ts";
import { fromBinary, hex, toBinary } from "../../support/cbor-oracle.ts";
import { inspect, textOf, useBench, verdicts } from "./bench.ts";
import { STORED_AT } from "./kept-cloud.ts";

const bench = useBench();

const NEVER_OPENED: SignedRule = {
  readHeader: () => undefined,
  open() {
    throw new Error("content, expected never to be opened");
  },
};

describe("what is no message of the profile", () => {
  it.each([
    ["an empty message", "" as Bytes, "cbor", /byte 0/],
    ["garbage", "\xff\xff" as Bytes, "cbor", /byte 0/],
    ["deep nesting", "\x81".repeat(1000) as Bytes, "cbor", /levels/],
    ["other CBOR", "\x83\x01\x02\x03" as Bytes, "profile", /as session: COSE_Sign1/],
    ["an Encrypt0 without a header", hex("d08340a040"), "profile", /as reading: protected header/],
    ["one with an IV", hex("d08340a1054040"), "size", /as receipt: byte string, expected 12/],
    ["a loose head", "\xd0\x98\x03\x40\xa0\x40" as Bytes, "cbor", /byte 1: not the shortest/],
    ["too long", "\x00".repeat(MAX_MESSAGE + 1) as Bytes, "size", /at most 65536/],
    ["too long for its class", hex(`d08340a0590400${"00".repeat(1024)}`), "size", /as reading/],
  ])("%s fails in its form, in one line", async (_, message, code, problem) => {
    const report = await inspect(message, bench.evidence({}));
    expect(report.layers.filter(({ verdict }) => verdict === "fail")).toHaveLength(1);
    expect(report.layers[0]).toMatchObject({ layer: "form", verdict: "fail" });
    expect(textOf(report, "form")).toMatch(problem);
    expect(textOf(report, "form")).not.toMatch(/\n/);
    expect(report.layers[0]?.code).toBe(code);
  });

  it("says so of a topic that is none", async () => {
    const report = await inspect(bench.session.message, bench.everything(), {
      topic: "cf/1/x/session",
    });
    expect(verdicts(report)).toMatchObject({ class: "fail topic", signature: "ok" });
    const other = await inspect(bench.session.message, bench.everything(), {
      topic: bench.device.topic("session"),
      messageClass: "event",
    });
    expect(verdicts(other).class).toBe("fail topic");
  });

  it("is judged in size and encoding alone, where its class is not in the table", async () => {
    const { event: _, ...inspectors } = INSPECTORS;
    const { message } = bench.device.makeEvent(bench.cloud.self.publicKey);
    const topic = bench.device.topic("event");
    const report = await inspect(message, bench.everything(), { inspectors, topic });
    expect(verdicts(report)).toEqual({ form: "ok", class: "ok" });
    expect(report.messageClass).toBe("event");
  });

  it("never throws, whatever is done to a message", async () => {
    await bench.cloud.send(bench.device, "session", bench.session.message);
    const messages: Bytes[] = [
      bench.session.message,
      bench.device.makeEvent(bench.cloud.self.publicKey).message,
      bench.device.seal(bench.session, celsius(2150)),
      bench.cloud.makeReceipt(bench.device, bench.session, {
        time: STORED_AT,
        messages: [],
        readings: [],
      }),
    ];
    const evidence = bench.everything();
    const classes = fc.option(fc.constantFrom<MessageClass>("session", "reading", "receipt"), {
      nil: undefined,
    });
    const mutated = fc
      .tuple(fc.constantFrom(...messages), fc.nat(600), fc.nat(8), fc.uint8Array({ maxLength: 8 }))
      .map(([message, at, removed, added]) => {
        const start = Math.min(at, message.length);
        return fromBinary(
          Buffer.concat([
            toBinary(message).subarray(0, start),
            added,
            toBinary(message).subarray(start + removed),
          ]),
        );
      });
    const random = fc.uint8Array({ maxLength: 300 }).map((bytes) => fromBinary(bytes));
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated, random), classes, async (message, messageClass) => {
        const report = await inspect(message, evidence, { messageClass });
        expect(report.layers.length).toBeGreaterThan(0);
        const text = reportText(report, { full: true, colour: false });
        expect(text).not.toMatch(/\n\s+at /);
        expect(JSON.parse(reportJson(report, false))).toMatchObject({ bytes: message.length });
      }),
      { numRuns: 500 },
    );
  });
});

describe("a form that two classes have", () => {
  /** Replies have the form of events; only what they are signed for tells them apart. */
  const inspectors: Inspectors = { reading: INSPECTORS.event, event: INSPECTORS.event };

  it("is told by the signature, where the device is known", async () => {
    const { message } = bench.device.makeEvent(bench.cloud.self.publicKey);
    const report = await inspect(message, bench.everything(), {
      inspectors: { reading: signedClass("reading", NEVER_OPENED), event: INSPECTORS.event },
    });
    expect(report.messageClass).toBe("event");
    expect(isSound(report)).toBe(true);
  });

  it("leaves the class open otherwise", async () => {
    const { message } = bench.device.makeEvent(bench.cloud.self.publicKey);
    const report = await inspect(message, bench.evidence({}), { inspectors });
    expect(verdicts(report)).toEqual({ form: "ok", class: "unknown" });
    expect(textOf(report, "class")).toMatch(/^reading or event by its form; --topic/);
    expect(report.messageClass).toBeUndefined();
  });
});

describe("evidence", () => {
  it("is only read", async () => {
    const before = await bench.cloud.store.counts();
    const evidence = bench.everything();
    await inspect(bench.session.message, evidence);
    await inspect(bench.session.message, evidence);
    expect(await bench.cloud.store.counts()).toEqual(before);
  });

  it("is refused when it is not what it should be", async () => {
    expect(() => openEvidence({ db: `${bench.cloud.db}.none` })).toThrow();
    const old = `${bench.cloud.db}.old`;
    new Database(old).close();
    expect(() => openEvidence({ db: old })).toThrow(/version \d+, got 0/);
    chmodSync(bench.cloud.keys, 0o755);
    expect(() => openEvidence({ keys: bench.cloud.keys })).toThrow(/mode 700/);
  });
});
