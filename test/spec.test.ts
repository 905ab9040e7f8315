import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Bytes, bytes } from "../protocol/bytes.ts";
import { createCommandOpener } from "../protocol/command-message.ts";
import { USAGE_DECRYPT } from "../protocol/cose/crypto.ts";
import { parseRandomIvEncrypt0, parseSequencedEncrypt0 } from "../protocol/cose/encrypt0.ts";
import { MESSAGE_HASH_LENGTH, parseSign1 } from "../protocol/cose/sign1.ts";
import { createEnrolOpener } from "../protocol/enrol-message.ts";
import { createEnrolledOpener } from "../protocol/enrolled-message.ts";
import { createEventOpener } from "../protocol/event-message.ts";
import { openReading } from "../protocol/reading.ts";
import { openReceipt } from "../protocol/receipt.ts";
import { createReplyOpener, STATUS_DONE } from "../protocol/reply-message.ts";
import { createSessionOpener } from "../protocol/session-message.ts";
import { diagnose } from "../scripts/inspect/diagnostic.ts";
import { readAny } from "./support/cbor-any.ts";
import { encodeOracle, fromBinary, hex, Tag, toBinary } from "./support/cbor-oracle.ts";
import { readCsrKey } from "./support/csr.ts";
import { signDeterministic } from "./support/ecdsa.ts";
import {
  EXAMPLE,
  exampleCloud,
  exampleDevice,
  exampleProvisioner,
  exampleRegistrar,
} from "./support/example-crypto.ts";
import { importContentKey, nodeCrypto } from "./support/parties.ts";
import { ERROR_CODES } from "./support/refusal.ts";
import { exampleSigStructure, makeExample, receiptKeyOf } from "./support/spec-example.ts";
import { makeProvisioningExample, PROVISIONING_EXAMPLE } from "./support/spec-provisioning.ts";
import { renderSpec } from "./support/spec-sections.ts";

const spec = readFileSync(new URL("../SPEC.md", import.meta.url), "utf8");

describe("SPEC.md", () => {
  it("has its tables and its worked example as the sources make them (npm run spec)", () => {
    expect(renderSpec(spec)).toBe(spec);
  });

  it("says of every error code when it comes", () => {
    const refusals = spec.slice(spec.indexOf("## Refusals"));
    for (const code of ERROR_CODES) expect(refusals).toContain(`| \`${code}\` |`);
  });
});

describe("the worked example", () => {
  const example = makeExample();
  const session = createSessionOpener(nodeCrypto)(
    parseSign1(example.sessionMessage),
    exampleDevice,
    exampleCloud,
  );

  it("is signed by its device and opens to its keys and contents", () => {
    expect(session.counter).toBe(EXAMPLE.counter);
    expect(session.baseIv).toBe(fromBinary(EXAMPLE.baseIv));
    const parsed = parseSequencedEncrypt0(example.reading);
    const payload = openReading(nodeCrypto, session, exampleDevice.thumbprint, parsed);
    expect(payload).toBe(example.readingPayload);
    const event = parseSign1(example.event.message);
    const opened = createEventOpener(nodeCrypto)(event, exampleDevice, exampleCloud);
    expect(opened).toMatchObject({ counter: EXAMPLE.eventCounter, pack: example.eventPack });
    const receiptKey = importContentKey(receiptKeyOf(), USAGE_DECRYPT);
    const receipt = parseRandomIvEncrypt0(example.receiptMessage);
    expect(openReceipt(nodeCrypto, receiptKey, exampleDevice.thumbprint, receipt)).toEqual(
      example.receipt,
    );
  });

  it("is the same each time, its signature the one of RFC 6979", () => {
    expect(makeExample()).toEqual(example);
    for (const [messageClass, message] of [
      ["session", example.sessionMessage],
      ["event", example.event.message],
    ] as const) {
      const structure = toBinary(exampleSigStructure(messageClass, message));
      expect(parseSign1(message).signature).toBe(
        fromBinary(signDeterministic(EXAMPLE.deviceScalar, structure)),
      );
    }
  });
});

describe("the worked example of provisioning", () => {
  const made = makeProvisioningExample();
  const { csr, ids, claim, time, certificate, leaf, update, request } = PROVISIONING_EXAMPLE;

  it("opens: the enrol message to its device, the enrolled message to its request", () => {
    const enrol = createEnrolOpener(nodeCrypto, readCsrKey);
    const sign1 = enrol.parse(made.enrol.message);
    expect(enrol.open(sign1, exampleDevice.kid, exampleCloud)).toEqual({
      counter: EXAMPLE.enrolCounter,
      csr,
      ...ids,
      claim,
      publicKey: exampleDevice.publicKey,
      thumbprint: exampleDevice.thumbprint,
      hash: made.enrol.hash,
    });
    const enrolled = createEnrolledOpener(nodeCrypto);
    const parsed = enrolled.parse(made.enrolled.message);
    expect(enrolled.open(parsed, exampleDevice, exampleRegistrar.publicKey)).toEqual({
      request: made.enrol.hash.slice(0, MESSAGE_HASH_LENGTH),
      certificate,
      time,
      settings: {},
    });
  });

  it("opens: the command in each form, the reply to the command", () => {
    const opener = createCommandOpener(nodeCrypto);
    const open = (message: Bytes) =>
      opener.open(opener.parse(message), exampleDevice, exampleProvisioner.publicKey);
    expect(opener.parse(made.update.message).leaf).toBe(leaf);
    expect(open(made.update.message)).toMatchObject({ command: update, hash: made.update.hash });
    expect(open(made.signed.message)).toMatchObject({ command: request, hash: made.signed.hash });
    expect(open(made.plain.message)).toMatchObject({ command: request, hash: made.plain.hash });
    const reply = parseSign1(made.reply.message);
    expect(createReplyOpener(nodeCrypto)(reply, exampleDevice, exampleCloud)).toEqual({
      counter: EXAMPLE.replyCounter,
      command: made.update.hash,
      status: STATUS_DONE,
      detail: 0,
    });
  });

  it("is the same each time", () => {
    expect(makeProvisioningExample()).toEqual(made);
  });
});

describe("what the example is made with", () => {
  it("signs as RFC 6979 appendix A.2.5 says, for P-256 and SHA-256", () => {
    const scalar = toBinary(
      hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"),
    );
    expect(signDeterministic(scalar, Buffer.from("sample")).toString("hex")).toBe(
      "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716" +
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    );
  });

  it("prints diagnostic notation", () => {
    const inner = encodeOracle(new Map<number, unknown>([[1, 1]]));
    const message = encodeOracle(new Tag([toBinary(inner), new Map(), Buffer.from([0xff])], 16));
    expect(diagnose(message)).toBe("16([\n  << {1: 1} >>,\n  {},\n  h'ff'\n])");
    expect(diagnose(encodeOracle(['\u00fc"', true, -1, [], new Map()]))).toBe(
      '["\u00fc\\"", true, -1, [], {}]',
    );
    expect(readAny(bytes("\x00"))).toEqual({ int: 0 });
  });
});
