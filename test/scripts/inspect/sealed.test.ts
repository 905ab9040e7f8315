import Database from "better-sqlite3";
import { beforeEach, describe, expect, it } from "vitest";
import { type Bytes, toHex } from "../../../protocol/bytes.ts";
import { isSound } from "../../../scripts/inspect/inspect.ts";
import { celsius, PREFIX } from "../../cloud/support/test-device.ts";
import { flipBit } from "../../support/refusal.ts";
import { inspect, textOf, useBench, verdicts } from "./bench.ts";
import { STORED_AT } from "./kept-cloud.ts";

const bench = useBench();

describe("a reading", () => {
  let reading: Bytes;
  beforeEach(async () => {
    await bench.cloud.send(bench.device, "session", bench.session.message);
    reading = bench.device.seal(bench.session, celsius(2150));
  });

  it("opens with the session of the database, before and after it is stored", async () => {
    const report = await inspect(reading, bench.everything(), {
      topic: bench.device.topic("reading"),
    });
    expect(Object.values(verdicts(report))).toEqual(Array(6).fill("ok"));
    expect(report.content).toEqual({
      session: 1,
      sequence: 1,
      records: [
        { name: "temperature", value: 21.5, unit: "Cel" },
        { name: "uptime", value: 5, unit: "s" },
      ],
    });
    expect(textOf(report, "sequence")).toMatch(/not stored yet; the highest stored is 0/);
    await bench.cloud.send(bench.device, "reading", reading);
    const again = await inspect(reading, bench.everything());
    const when = new Date(STORED_AT * 1000).toISOString();
    expect(textOf(again, "sequence")).toBe(
      `sequence number 1, stored ${when}: again it is a replay`,
    );
  });

  it("finds its device among all by trying, when nothing names it", async () => {
    const other = bench.otherDevice();
    await bench.cloud.register(other, "shed");
    const theirs = other.openSession(bench.cloud.self.publicKey);
    await bench.cloud.send(other, "session", theirs.message);
    const report = await inspect(other.seal(theirs, celsius(0)), bench.everything());
    expect(textOf(report, "key id")).toBe(`session 1 of ${other.kidHex} "shed"`);
    expect(isSound(report)).toBe(true);
  });

  it("is not opened without keys, database, device or session, and says so", async () => {
    for (const [evidence, topic, missing] of [
      [bench.evidence({}), undefined, /--db.*--keys/],
      [bench.evidence({ db: bench.cloud.db }), bench.device.topic("reading"), /--keys/],
      [bench.everything(), `${PREFIX}/${"1".repeat(16)}/reading`, /database with the device/],
    ] as const) {
      const report = await inspect(reading, evidence, { topic });
      expect(verdicts(report)).toMatchObject({ "session key": "unknown", content: "unknown" });
      expect(textOf(report, "session key")).toMatch(missing);
      expect(isSound(report)).toBe(true);
    }
    const unsent = bench.device.openSession(bench.cloud.self.publicKey);
    const early = await inspect(bench.device.seal(unsent, celsius(1)), bench.everything(), {
      topic: bench.device.topic("reading"),
    });
    expect(textOf(early, "session key")).toMatch(/session 2 of .* is not in the database/);
  });

  it("fails when its ciphertext is not this session's", async () => {
    const forged = flipBit(reading, reading.length * 8 - 1);
    const report = await inspect(forged, bench.everything(), {
      topic: bench.device.topic("reading"),
    });
    expect(verdicts(report)).toMatchObject({ content: "fail decrypt", sequence: "unknown" });
    const unnamed = await inspect(forged, bench.everything());
    expect(textOf(unnamed, "session key")).toMatch(/of 1 devices .* none opens it/);
  });

  it("fails when the stored key does not open", async () => {
    new Database(bench.cloud.db).prepare("UPDATE session SET sealed_key = zeroblob(44)").run();
    const report = await inspect(reading, bench.everything(), {
      topic: bench.device.topic("reading"),
    });
    expect(verdicts(report)["session key"]).toBe("fail session-damaged");
  });
});

describe("a receipt", () => {
  it("opens with the session key, and says what it lists", async () => {
    await bench.cloud.send(bench.device, "session", bench.session.message);
    const messages = [bench.session.hash.slice(0, 16) as Bytes];
    const readings = [{ sessionKid: bench.session.kid, first: 1, last: 7 }];
    const receipt = bench.cloud.makeReceipt(bench.device, bench.session, {
      time: STORED_AT,
      messages,
      readings,
    });
    const report = await inspect(receipt, bench.everything());
    expect(report.messageClass).toBe("receipt");
    expect(report.content).toEqual({
      time: "2027-01-15T08:00:00.000Z",
      messages: [toHex(messages[0] as Bytes)],
      readings: [{ session: 1, first: 1, last: 7 }],
    });
    expect(isSound(report)).toBe(true);
    expect(verdicts(await inspect(receipt, bench.evidence({}))).content).toBe("unknown");
  });
});
