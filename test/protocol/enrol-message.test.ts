import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import { createEnrolMaker, createEnrolOpener } from "../../protocol/enrol-message.ts";
import { kidOf } from "../../protocol/kid.ts";
import { CLASSES } from "../../protocol/topics.ts";
import {
  decodeOracle,
  encodeOracle,
  fromBinary,
  type Tag,
  toBinary,
} from "../support/cbor-oracle.ts";
import { openEncryptByHand } from "../support/cose-reader.ts";
import { makeCsr, readCsrKey } from "../support/csr.ts";
import { makeParty, nodeCrypto, openDevice, type TestDevice } from "../support/parties.ts";
import { buildEnrol, resign, text } from "../support/provisioning-builder.ts";
import { codeOf, flipEveryByte, MESSAGE_CODES } from "../support/refusal.ts";

const CLAIM = bytes("0123456789abcdef");

const cloud = makeParty();
const enrol = createEnrolOpener(nodeCrypto, readCsrKey);
const open = (message: Bytes, kid: Bytes, self = cloud) =>
  enrol.open(enrol.parse(message), kid, self);
let device: TestDevice;
let csr: Bytes;

beforeAll(() => {
  device = openDevice();
  csr = device.crypto.writeCsr(device.key);
});
afterAll(() => {
  device.close();
});

function make(changes: object = {}, counter = 7, recipients = [cloud]) {
  const enrolment = { csr, deviceId: text("shed"), userId: text("ann"), claim: CLAIM, ...changes };
  return createEnrolMaker(device.crypto)(device, recipients, counter, enrolment);
}

describe("an enrol message", () => {
  it("gives the registrar all it says, and the key that says it", () => {
    const { message, hash } = make({ deviceId: text("Büro"), userId: text("😀") });
    expect(open(message, device.kid)).toEqual({
      counter: 7,
      csr,
      deviceId: text("Büro"),
      userId: text("😀"),
      claim: CLAIM,
      publicKey: device.publicKey,
      thumbprint: device.thumbprint,
      hash,
    });
  });

  it("needs no claim", () => {
    expect(open(make({ claim: undefined }).message, device.kid).claim).toBeUndefined();
  });

  it("names its key by the whole thumbprint, and by nothing else", () => {
    const { message, hash } = make();
    const sign1 = enrol.parse(message);
    expect(sign1.kid).toBe(device.thumbprint);
    expect(kidOf(sign1.kid)).toBe(device.kid);
    expect(enrol.hash(sign1)).toBe(hash);
    expect(message).not.toContain("shed");
    expect(message).not.toContain(CLAIM);
    expect(message).not.toContain(device.publicKey.slice(1, 33));
  });

  it("is deterministic CBOR, its content opened by node:crypto alone", () => {
    const { message } = make({ claim: undefined }, 65536);
    expect(encodeOracle(decodeOracle(message))).toBe(message);
    const [header, , payload] = (decodeOracle(message) as Tag).value as [Buffer, unknown, Buffer];
    expect(decodeOracle(fromBinary(header))).toEqual(
      new Map<number, unknown>([
        [1, -7],
        [4, toBinary(device.thumbprint)],
      ]),
    );
    const content = openEncryptByHand(fromBinary(payload), "enrol", device.thumbprint, cloud, 0);
    expect(decodeOracle(fromBinary(content))).toEqual([
      65536,
      toBinary(csr),
      "shed",
      "ann",
      Buffer.alloc(0),
    ]);
  });

  it("is taken as the other implementation makes it", () => {
    const party = makeParty();
    const opened = open(buildEnrol(party, [makeParty(), cloud], 4_294_967_295).message, party.kid);
    expect(opened).toMatchObject({
      counter: 4_294_967_295,
      deviceId: "shed",
      userId: "ann",
      claim: "\x07".repeat(16),
      publicKey: party.publicKey,
    });
  });

  it("stays within the limit with the longest of all and four recipients", () => {
    const clouds = [cloud, makeParty(), makeParty(), makeParty()];
    const long = { deviceId: text("d".repeat(64)), userId: text("u".repeat(64)) };
    const one = make(long, 4_294_967_295).message.length;
    const four = make(long, 4_294_967_295, clouds).message.length;
    console.log(`enrol: ${one} bytes at most with one recipient, ${four} with four`);
    // A CSR has at most 190 bytes: its signature in DER has no fixed length.
    expect(one + 190 - csr.length).toBe(587);
    expect(four).toBe(one + 3 * 86);
    expect(four).toBeLessThanOrEqual(CLASSES.enrol.limit);
    for (const each of clouds)
      expect(open(make(long, 7, clouds).message, device.kid, each).counter).toBe(7);
  });

  it.each<[string, string, object]>([
    ["an empty device id", "size", { deviceId: "" }],
    ["a user id of 65 bytes", "size", { userId: "u".repeat(65) }],
    ["a line break in an id", "form", { deviceId: "a\nb" }],
    ["a claim of 15 bytes", "size", { claim: CLAIM.slice(1) }],
    ["an empty claim", "size", { claim: "" }],
  ])("is not made with %s: %s", (_name, code, changes) => {
    expect(codeOf(() => make(changes))).toBe(code);
  });
});

describe("refusals", () => {
  it("refuses a flip in every byte", () => {
    const { message } = make();
    const codes = flipEveryByte(message, (flipped) => open(flipped, device.kid));
    expect(codes.none).toBeUndefined();
    expect(MESSAGE_CODES).toEqual(expect.arrayContaining(Object.keys(codes)));
  });

  it("refuses every truncation and every byte more", () => {
    const { message } = make();
    for (let length = 0; length < message.length; length++)
      expect(MESSAGE_CODES).toContain(
        codeOf(() => open(message.slice(0, length) as Bytes, device.kid)),
      );
    expect(codeOf(() => enrol.parse(`${message}\0` as Bytes))).toBe("cbor");
  });

  it("refuses the topic of another device, and another receiver", () => {
    const { message } = make();
    expect(codeOf(() => open(message, makeParty().kid))).toBe("kid");
    expect(codeOf(() => open(message, device.kid, makeParty()))).toBe("kid");
  });

  it("refuses the CSR of another key in the name of the own", () => {
    const { message } = make({ csr: makeCsr(makeParty()) });
    expect(codeOf(() => open(message, device.kid))).toBe("kid");
  });

  it("takes no other class for it: their key id is short", () => {
    const party = makeParty();
    const short = buildEnrol(party, [cloud], 7, {
      signHeader: (header) => new Map([...header, [4, toBinary(party.kid)]]),
    });
    expect(codeOf(() => enrol.parse(short.message))).toBe("size");
  });

  it("refuses to another key what it signs again, with the right name or the stolen one", () => {
    const { payload } = enrol.parse(make().message);
    const attacker = makeParty();
    const named = (thumbprint: Bytes) => ({
      signHeader: (header: Map<number, unknown>) =>
        new Map([...header, [4, toBinary(thumbprint)] as const]),
    });
    const own = resign(attacker, attacker, "enrol", payload, named(attacker.thumbprint));
    expect(codeOf(() => open(own, attacker.kid))).toBe("decrypt");
    const stolen = resign(attacker, device, "enrol", payload, named(device.thumbprint));
    expect(codeOf(() => open(stolen, device.kid))).toBe("signature");
  });
});
