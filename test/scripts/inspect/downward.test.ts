import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../../cloud/crypto/node-crypto.ts";
import {
  loadProvisionerKey,
  loadRegistrarKeys,
  openIndex,
} from "../../../cloud/keys/cloud-keys.ts";
import type { Credential } from "../../../cloud/keys/credentials.ts";
import { type Bytes, bytes, toHex } from "../../../protocol/bytes.ts";
import { ACTION_REQUEST, type Command } from "../../../protocol/command-content.ts";
import { createCommandMaker } from "../../../protocol/command-message.ts";
import { USAGE_DERIVE } from "../../../protocol/cose/crypto.ts";
import { openDownwardEncrypt } from "../../../protocol/cose/encrypt-downward.ts";
import { createDownwardOpener } from "../../../protocol/downward.ts";
import { createEnrolledMaker } from "../../../protocol/enrolled-message.ts";
import { readSealedTo } from "../../../scripts/inspect/downward.ts";
import { isSound } from "../../../scripts/inspect/inspect.ts";
import { PREFIX } from "../../cloud/support/test-device.ts";
import { codeOf, flipBit } from "../../support/refusal.ts";
import { inspect, textOf, useBench, verdicts } from "./bench.ts";
import { STORED_AT } from "./kept-cloud.ts";

const bench = useBench();
const crypto = createNodeCrypto();
const CLAIM = bytes("coseflow-claim-1");
const IDS = { deviceId: bytes("shed-3"), userId: bytes("ann") };
const COMMAND: Command = {
  counter: 7,
  issued: STORED_AT,
  expires: STORED_AT + 3600,
  action: ACTION_REQUEST,
  ...IDS,
};
const YEARS = 3 * 365 * 24 * 3600;

let registrar: Credential;
let provisioner: Credential;
beforeEach(() => {
  registrar = loadRegistrarKeys(crypto, bench.cloud.keys).registrar;
  provisioner = loadProvisionerKey(crypto, bench.cloud.keys);
});

const lastBit = (message: Bytes) => flipBit(message, message.length * 8 - 1);

const recipient = () => ({ publicKey: bench.device.point, thumbprint: bench.device.thumbprint });

function makeEnrolled(leaf?: Bytes): Bytes {
  const enrolled = {
    request: bytes("r".repeat(16)),
    certificate: bytes("\x30\x03\x02\x01\x07"),
    time: STORED_AT,
    settings: {},
  };
  return createEnrolledMaker(crypto)(registrar, recipient(), enrolled, leaf).message;
}

function makeCommand(
  form: "sealed" | "signed" | "plain",
  leaf?: Bytes,
  command: Command = COMMAND,
): { message: Bytes; hash: Bytes } {
  const make = createCommandMaker(crypto);
  if (form === "plain") return make.plain(command);
  return form === "sealed"
    ? make.sealed(provisioner, recipient(), command, leaf)
    : make.signed(provisioner, bench.device.thumbprint, command, leaf);
}

describe("an enrolled message", () => {
  const ALL = ["form", "class", "key id", "certificate", "signature", "recipient"];
  const WHOLE = { ...Object.fromEntries(ALL.map((layer) => [layer, "ok"])), content: "unknown" };

  it("is judged by the certificate in it, or by the one of the key directory", async () => {
    for (const leaf of [registrar.certificate.der, undefined]) {
      const report = await inspect(makeEnrolled(leaf), bench.everything());
      expect(report.messageClass).toBe("enrolled");
      expect(verdicts(report)).toEqual(WHOLE);
      expect(textOf(report, "certificate")).toMatch(
        /^CN=cf registrar, registrar, valid \d{4}-.*Z to \d{4}-.*Z, /,
      );
      expect(textOf(report, "certificate")).toMatch(leaf ? /in the message$/ : /from --keys$/);
      expect(textOf(report, "recipient")).toBe(`${bench.device.kidHex} "desk"`);
      expect(textOf(report, "content")).toBe("sealed to the device, which alone opens it");
      expect(report.content).toBeUndefined();
    }
  });

  it("says which certificate or key is missing", async () => {
    const topic = bench.device.topic("enrolled");
    const bare = await inspect(makeEnrolled(), bench.evidence({}), { topic });
    expect(verdicts(bare)).toMatchObject({ certificate: "unknown", signature: "unknown" });
    expect(textOf(bare, "certificate")).toMatch(/--keys/);
    const evidence = bench.evidence({ deviceKey: bench.device.point });
    const carried = await inspect(makeEnrolled(registrar.certificate.der), evidence, { topic });
    expect(verdicts(carried)).toMatchObject({ certificate: "unknown", signature: "ok" });
    expect(textOf(carried, "certificate")).toMatch(/in the message; needs the root's/);
  });

  it("fails with a certificate of another root, of another role, or that is none", async () => {
    const topic = bench.device.topic("enrolled");
    const other = await bench.otherCloud();
    const strange = bench.evidence({ keys: other.keys, db: bench.cloud.db });
    const judged = async (leaf: Bytes, evidence = bench.everything()) =>
      verdicts(await inspect(makeEnrolled(leaf), evidence, { topic }));
    const { der } = registrar.certificate;
    expect(await judged(der, strange)).toMatchObject({
      certificate: "fail certificate",
      signature: "ok",
    });
    expect(await judged(provisioner.certificate.der)).toMatchObject({
      "key id": "fail kid",
      certificate: "fail certificate",
      signature: "unknown",
    });
    expect(await judged(bytes("\x30\x03\x02\x01\x07"))).toMatchObject({
      certificate: "fail form",
      signature: "unknown",
    });
  });

  it("fails when the certificate is revoked, and asks for the time when it has expired", async () => {
    const message = makeEnrolled(registrar.certificate.der);
    const now = Math.floor(Date.now() / 1000) + YEARS;
    const evidence = bench.everything();
    const late = await inspect(message, { ...evidence, now: () => now });
    expect(verdicts(late).certificate).toBe("unknown");
    expect(textOf(late, "certificate")).toMatch(/; expired: /);
    openIndex(bench.cloud.keys).revoke(registrar.certificate.serial, STORED_AT);
    const revoked = await inspect(message, bench.everything());
    expect(verdicts(revoked).certificate).toBe("fail certificate");
    expect(textOf(revoked, "certificate")).toMatch(/expected one that is not revoked/);
  });

  it("fails in its signature when it is changed, and on the topic of another device", async () => {
    const topic = bench.device.topic("enrolled");
    const forged = await inspect(lastBit(makeEnrolled()), bench.everything(), { topic });
    expect(verdicts(forged).signature).toBe("fail signature");
    const other = bench.otherDevice();
    await bench.cloud.register(other);
    const moved = { topic: other.topic("enrolled") };
    expect(verdicts(await inspect(makeEnrolled(), bench.everything(), moved))).toMatchObject({
      signature: "fail signature",
      recipient: "fail kid",
    });
    const unknown = { topic: `${PREFIX}/${"0".repeat(16)}/enrolled` };
    expect(verdicts(await inspect(makeEnrolled(), bench.everything(), unknown))).toMatchObject({
      signature: "unknown",
      recipient: "fail kid",
    });
  });

  it("ends with a report, whatever bit of it or of its certificate is another", async () => {
    const topic = bench.device.topic("enrolled");
    const message = makeEnrolled(registrar.certificate.der);
    const evidence = bench.everything();
    await fc.assert(
      fc.asyncProperty(fc.nat(message.length * 8 - 1), async (bit) => {
        const report = await inspect(flipBit(message, bit), evidence, { topic });
        expect(isSound(report)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it("is taken apart as the device takes it apart", () => {
    const { payload } = createDownwardOpener(crypto, "enrolled").parse(makeEnrolled());
    const stranger = { key: crypto.generateKey(USAGE_DERIVE), thumbprint: bytes("s".repeat(32)) };
    const envelope = {
      messageClass: "enrolled",
      deviceThumbprint: stranger.thumbprint,
      senderThumbprint: registrar.thumbprint,
    } as const;
    // A stranger's key id is looked at once the form is known to be right.
    const device = (encrypt: Bytes) =>
      codeOf(() => openDownwardEncrypt(crypto, encrypt, envelope, stranger));
    expect(device(payload)).toBe("kid");
    const anywhere = fc.nat(payload.length - 1);
    fc.assert(
      fc.property(anywhere, fc.nat(7), fc.boolean(), (at, bit, cut) => {
        const changed = cut ? (payload.slice(0, at) as Bytes) : flipBit(payload, at * 8 + bit);
        const expected = device(changed);
        if (expected === "kid") expect(readSealedTo(changed)).toHaveLength(8);
        else expect(codeOf(() => readSealedTo(changed))).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a command", () => {
  const VIEW = {
    action: "request",
    counter: 7,
    issued: "2027-01-15T08:00:00.000Z",
    expires: "2027-01-15T09:00:00.000Z",
    deviceId: "shed-3",
    userId: "ann",
  };

  it("that is sealed is judged as far as its device, and shows nothing", async () => {
    const { message } = makeCommand("sealed", provisioner.certificate.der, {
      ...COMMAND,
      claim: CLAIM,
    });
    const report = await inspect(message, bench.everything());
    expect(report.messageClass).toBe("command");
    expect(verdicts(report)).toMatchObject({
      certificate: "ok",
      signature: "ok",
      recipient: "ok",
      content: "unknown",
    });
    expect(textOf(report, "certificate")).toMatch(/^CN=cf provisioner, provisioner, /);
    expect(report.content).toBeUndefined();
  });

  it("is told from enrolled by its signature alone where it is sealed", async () => {
    const { message } = makeCommand("sealed");
    const report = await inspect(message, bench.evidence({}));
    expect(textOf(report, "class")).toMatch(/^enrolled or command by its form/);
  });

  it("that is signed is readable by all, and has the hash that its reply names", async () => {
    const { message, hash } = makeCommand("signed", provisioner.certificate.der);
    const topic = bench.device.topic("command");
    const report = await inspect(message, bench.everything(), { topic });
    expect(verdicts(report)).toEqual({
      form: "ok",
      class: "ok",
      "key id": "ok",
      certificate: "ok",
      signature: "ok",
      content: "ok",
    });
    expect(report.content).toEqual({ form: "signed", ...VIEW, hash: toHex(hash) });
    const alone = await inspect(message, bench.evidence({}));
    expect(alone.messageClass).toBe("command");
    expect(verdicts(alone)).toMatchObject({ signature: "unknown", content: "ok" });
    expect(alone.content).toEqual({ form: "signed", ...VIEW });
    const forged = await inspect(lastBit(message), bench.everything(), { topic });
    expect(verdicts(forged)).toMatchObject({ signature: "fail signature", content: "unknown" });
    expect(forged.content).toBeUndefined();
  });

  it("that is plain proves nothing, and says so", async () => {
    const { message, hash } = makeCommand("plain");
    const report = await inspect(message, bench.everything());
    expect(report.messageClass).toBe("command");
    expect(verdicts(report)).toEqual({
      form: "ok",
      class: "ok",
      signature: "unknown",
      content: "ok",
    });
    expect(textOf(report, "signature")).toMatch(/whoever reaches the broker can make/);
    expect(report.content).toEqual({ form: "plain", ...VIEW, hash: toHex(hash) });
  });

  it("fails when the registrar signs it", async () => {
    const make = createCommandMaker(crypto);
    const { der } = registrar.certificate;
    const { message } = make.sealed(registrar, recipient(), COMMAND, der);
    const topic = bench.device.topic("command");
    const report = await inspect(message, bench.everything(), { topic });
    expect(verdicts(report).certificate).toBe("fail certificate");
    expect(textOf(report, "certificate")).toMatch(/expected one of provisioner/);
  });
});
