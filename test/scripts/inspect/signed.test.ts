import { describe, expect, it } from "vitest";
import { toHex } from "../../../protocol/bytes.ts";
import { isSound } from "../../../scripts/inspect/inspect.ts";
import { PREFIX } from "../../cloud/support/test-device.ts";
import { flipBit } from "../../support/refusal.ts";
import { inspect, textOf, useBench, verdicts } from "./bench.ts";

const bench = useBench();

describe("a session message", () => {
  const SIGNED = ["form", "class", "key id", "signature", "recipient", "content", "sequence"];

  it("is judged whole with keys and database, before and after it is stored", async () => {
    const report = await inspect(bench.session.message, bench.everything(), {
      topic: bench.device.topic("session"),
    });
    expect(verdicts(report)).toEqual(Object.fromEntries(SIGNED.map((layer) => [layer, "ok"])));
    expect(textOf(report, "key id")).toBe(`${bench.device.kidHex} "desk"`);
    expect(textOf(report, "sequence")).toBe("device counter 1, not stored yet");
    await bench.cloud.send(bench.device, "session", bench.session.message);
    const again = await inspect(bench.session.message, bench.everything());
    expect(isSound(again)).toBe(true);
    expect(textOf(again, "class")).toBe("session, guessed from the form");
    expect(textOf(again, "sequence")).toBe("device counter 1, stored: again it is a repeat");
  });

  it("shows nothing of its key", async () => {
    const report = await inspect(bench.session.message, bench.everything());
    expect(report.content).toEqual({
      kid: "01",
      key: "16 bytes, secret",
      baseIv: "12 bytes, secret",
    });
  });

  it("says which key is missing where there is none", async () => {
    const report = await inspect(bench.session.message, bench.evidence({}));
    expect(verdicts(report)).toEqual({
      form: "ok",
      class: "ok",
      "key id": "ok",
      signature: "unknown",
      recipient: "unknown",
      content: "unknown",
      sequence: "unknown",
    });
    expect(textOf(report, "signature")).toMatch(/--device-key/);
    expect(textOf(report, "recipient")).toBe(
      `${toHex(bench.cloud.self.kid)}; needs the cloud's private key (--keys)`,
    );
    expect(textOf(report, "sequence")).toMatch(/--db/);
    expect(isSound(report)).toBe(true);
  });

  it("is verified with the device's public key alone", async () => {
    const evidence = bench.evidence({ deviceKey: bench.device.point });
    expect(verdicts(await inspect(bench.session.message, evidence)).signature).toBe("ok");
    const other = bench.otherDevice();
    const wrong = bench.evidence({ deviceKey: other.point });
    expect(verdicts(await inspect(bench.session.message, wrong)).signature).toBe("unknown");
  });

  it("fails in its signature under another class, and opens nothing", async () => {
    const event = bench.device.makeEvent(bench.cloud.self.publicKey).message;
    const report = await inspect(event, bench.everything(), { messageClass: "session" });
    expect(verdicts(report)).toEqual({ form: "fail profile", class: "ok" });
    const forged = flipBit(bench.session.message, bench.session.message.length * 8 - 1);
    const refused = await inspect(forged, bench.everything());
    expect(verdicts(refused)).toMatchObject({
      signature: "fail signature",
      content: "unknown",
      sequence: "ok",
    });
    expect(refused.content).toBeUndefined();
  });

  it("fails on the topic of another device", async () => {
    const topic = `${PREFIX}/${"0".repeat(16)}/session`;
    const report = await inspect(bench.session.message, bench.everything(), { topic });
    expect(verdicts(report)["key id"]).toBe("fail kid");
  });

  it("fails when another message has its counter", async () => {
    await bench.cloud.send(bench.device, "session", bench.session.message);
    const clone = bench.device.makeEvent(bench.cloud.self.publicKey, undefined, 1).message;
    expect(verdicts(await inspect(clone, bench.everything())).sequence).toBe(
      "fail counter-conflict",
    );
  });

  it("fails at another cloud", async () => {
    const other = await bench.otherCloud();
    const evidence = bench.evidence({ keys: other.keys, db: bench.cloud.db });
    expect(verdicts(await inspect(bench.session.message, evidence))).toMatchObject({
      signature: "ok",
      recipient: "fail kid",
      content: "fail kid",
    });
  });
});

describe("an event", () => {
  it("opens to its counter and records", async () => {
    const { message } = bench.device.makeEvent(bench.cloud.self.publicKey);
    const report = await inspect(message, bench.everything());
    expect(report.messageClass).toBe("event");
    expect(report.content).toEqual({ counter: 2, records: [{ name: "door", value: true }] });
    expect(isSound(report)).toBe(true);
    const closed = await inspect(message, bench.evidence({ db: bench.cloud.db }));
    expect(textOf(closed, "sequence")).toBe("the device counter is in the content");
  });
});
