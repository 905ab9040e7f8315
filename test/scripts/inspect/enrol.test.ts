import { describe, expect, it } from "vitest";
import { makeCredential, openRoot } from "../../../cloud/ca/authority.ts";
import { createNodeCrypto } from "../../../cloud/crypto/node-crypto.ts";
import { type Bytes, bytes, toHex } from "../../../protocol/bytes.ts";
import { createEnrolMaker } from "../../../protocol/enrol-message.ts";
import { createReplyMaker, STATUS_DONE, STATUS_ROLLED } from "../../../protocol/reply-message.ts";
import { isSound } from "../../../scripts/inspect/inspect.ts";
import { reportJson, reportText } from "../../../scripts/inspect/print.ts";
import { flipBit } from "../../support/refusal.ts";
import { inspect, textOf, useBench, verdicts } from "./bench.ts";

const bench = useBench();
const CLAIM = bytes("coseflow-claim-1");
const IDS = { deviceId: bytes("shed-3"), userId: bytes("ann") };

const signing = () => ({
  key: bench.device.crypto.openDeviceKey(),
  thumbprint: bench.device.thumbprint,
});
const lastBit = (message: Bytes) => flipBit(message, message.length * 8 - 1);

const writeCsr = () => bench.device.crypto.writeCsr(signing().key);

function makeEnrol(claim: Bytes | undefined, csr = writeCsr()): Bytes {
  const make = createEnrolMaker(bench.device.crypto);
  return make(signing(), [bench.cloud.self], 3, { csr, ...IDS, claim }).message;
}

function makeReply(status: number, detail: number | Bytes): Bytes {
  const make = createReplyMaker(bench.device.crypto);
  const reply = { command: bytes("c".repeat(32)), status, detail };
  return make(signing(), [bench.cloud.self], 4, reply).message;
}

async function issueCloudKey(): Promise<void> {
  const crypto = createNodeCrypto();
  const root = openRoot(crypto, bench.cloud.keys, {});
  const now = Math.floor(Date.now() / 1000);
  await makeCredential(crypto, bench.cloud.keys, root, "cloud", undefined, now);
}

describe("an enrol message", () => {
  it("is verified by the key in its CSR, and shows nothing of its claim", async () => {
    const other = bench.otherDevice();
    const message = makeEnrol(CLAIM);
    const report = await inspect(message, bench.everything());
    expect(report.messageClass).toBe("enrol");
    expect(report.layers.map(({ verdict }) => verdict)).toEqual(report.layers.map(() => "ok"));
    expect(textOf(report, "signature")).toBe("of the key in its CSR, for class enrol");
    expect(textOf(report, "sequence")).toBe("device counter 3, not stored yet");
    expect(report.content).toMatchObject({
      counter: 3,
      deviceId: "shed-3",
      userId: "ann",
      claim: "16 bytes, secret",
    });
    const shown = reportText(report, { full: true, colour: false }) + reportJson(report, true);
    expect(shown).not.toContain(CLAIM);
    expect(shown).not.toContain(toHex(CLAIM));
    const topic = other.topic("enrol");
    expect(verdicts(await inspect(message, bench.everything(), { topic }))["key id"]).toBe(
      "fail kid",
    );
  });

  it("says that it has no claim", async () => {
    const message = makeEnrol(undefined);
    expect((await inspect(message, bench.everything())).content).toMatchObject({ claim: "none" });
  });

  it("cannot be verified without the cloud's key, however well its device is known", async () => {
    const evidence = bench.evidence({ db: bench.cloud.db, deviceKey: bench.device.point });
    const report = await inspect(makeEnrol(CLAIM), evidence);
    expect(verdicts(report)).toEqual({
      form: "ok",
      class: "ok",
      "key id": "ok",
      signature: "unknown",
      recipient: "unknown",
      content: "unknown",
      sequence: "unknown",
    });
    expect(textOf(report, "signature")).toMatch(/CSR; .*--keys/);
  });

  it("shows nothing when its signature does not verify, or it is sealed to another cloud", async () => {
    const forged = await inspect(lastBit(makeEnrol(CLAIM)), bench.everything());
    expect(verdicts(forged)).toMatchObject({
      signature: "fail signature",
      content: "unknown",
      sequence: "unknown",
    });
    expect(forged.content).toBeUndefined();
    const other = await bench.otherCloud();
    const elsewhere = await inspect(makeEnrol(CLAIM), bench.evidence({ keys: other.keys }));
    expect(verdicts(elsewhere)).toMatchObject({ recipient: "fail kid", content: "fail kid" });
  });
});

describe("an enrol message with a request", () => {
  const judged = async (csr: Bytes) =>
    verdicts(await inspect(makeEnrol(CLAIM, csr), bench.everything()));

  it("that its own key did not sign fails in its content", async () => {
    expect(await judged(lastBit(writeCsr()))).toMatchObject({
      signature: "unknown",
      content: "fail signature",
    });
  });

  it("that is none, or another device's, fails in its content", async () => {
    expect(await judged(bytes("\x30\x00"))).toMatchObject({ content: "fail form" });
    const { crypto } = bench.otherDevice();
    expect(await judged(crypto.writeCsr(crypto.openDeviceKey()))).toMatchObject({
      signature: "unknown",
      content: "fail kid",
    });
  });
});

describe("a reply", () => {
  it("opens to the command it answers, its status and detail", async () => {
    const report = await inspect(makeReply(STATUS_DONE, 0), bench.everything());
    expect(report.messageClass).toBe("reply");
    expect(isSound(report)).toBe(true);
    const command = toHex(bytes("c".repeat(32)));
    expect(report.content).toEqual({ counter: 4, command, status: "done", detail: 0 });
    const csr = writeCsr();
    const rolled = await inspect(makeReply(STATUS_ROLLED, csr), bench.everything());
    expect(rolled.content).toMatchObject({ status: "rolled", detail: `CSR, ${csr.length} bytes` });
  });

  it("is told from an event by its signature alone", async () => {
    const reply = await inspect(makeReply(STATUS_DONE, 0), bench.evidence({}));
    expect(textOf(reply, "class")).toMatch(/^event or reply by its form/);
    const topic = bench.device.topic("event");
    const event = await inspect(makeReply(STATUS_DONE, 0), bench.everything(), { topic });
    expect(verdicts(event).signature).toBe("fail signature");
  });
});

describe("after the cloud's key was renewed", () => {
  it("messages to the older key are opened with it", async () => {
    await issueCloudKey();
    for (const message of [bench.session.message, makeReply(STATUS_DONE, 0), makeEnrol(CLAIM)]) {
      const report = await inspect(message, bench.everything());
      expect(verdicts(report)).toMatchObject({ recipient: "ok", content: "ok" });
      expect(textOf(report, "recipient")).toBe(
        `an older key of this cloud, ${toHex(bench.cloud.self.kid)}, one of 1`,
      );
    }
  });
});
