import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import { createCommandOpener } from "../../protocol/command-message.ts";
import { parseSign1 } from "../../protocol/cose/sign1.ts";
import {
  createEnrolledMaker,
  createEnrolledOpener,
  type Enrolled,
} from "../../protocol/enrolled-message.ts";
import { DOWNWARD_LIMIT } from "../../protocol/topics.ts";
import { decodeOracle, encodeOracle, type Tag } from "../support/cbor-oracle.ts";
import { makeParty, nodeCrypto, openDevice, type TestDevice } from "../support/parties.ts";
import { buildEnrolled, resign } from "../support/provisioning-builder.ts";
import { codeOf, flipBit, flipEveryByte, MESSAGE_CODES } from "../support/refusal.ts";

const REQUEST = bytes("r".repeat(16));
const CERTIFICATE = bytes("c".repeat(370));
const LEAF = bytes("l".repeat(370));
const TIME = 1_800_000_000;

const registrar = makeParty();
const makeEnrolled = createEnrolledMaker(nodeCrypto);
let device: TestDevice;

beforeAll(() => {
  device = openDevice();
});
afterAll(() => {
  device.close();
});

function make(changes: Partial<Enrolled> = {}, leaf?: Bytes) {
  const enrolled = { request: REQUEST, certificate: CERTIFICATE, time: TIME, settings: {} };
  return makeEnrolled(registrar, device, { ...enrolled, ...changes }, leaf);
}

function open(message: Bytes, by = registrar) {
  const enrolled = createEnrolledOpener(device.crypto);
  return enrolled.open(enrolled.parse(message), device, by.publicKey);
}

describe("an enrolled message", () => {
  it("gives the device its certificate, the time and its settings", () => {
    const settings = { issuedNotBefore: { cloud: 1, registrar: 2, provisioner: 3 } };
    expect(open(make({ settings }).message)).toEqual({
      request: REQUEST,
      certificate: CERTIFICATE,
      time: TIME,
      settings,
    });
  });

  it("carries the registrar's certificate, which the signature does not cover", () => {
    const { parse } = createEnrolledOpener(device.crypto);
    const { message } = make({}, LEAF);
    expect(parse(message).leaf).toBe(LEAF);
    expect(parse(make().message).leaf).toBeUndefined();
    expect(open(message)).toEqual(open(make().message));
    const other = message.replace(LEAF, "x".repeat(LEAF.length)) as Bytes;
    expect(parse(other).leaf).toBe("x".repeat(LEAF.length));
    expect(open(other)).toEqual(open(message));
  });

  it("fits with two certificates of 370 bytes", () => {
    const { length } = make({}, LEAF).message;
    console.log(
      `enrolled: ${length} bytes with two certificates of 370, ${make().message.length} with one`,
    );
    expect(length).toBe(1019);
    expect(length).toBeLessThanOrEqual(DOWNWARD_LIMIT);
    expect(make().message.length).toBe(644);
  });

  it("is not made beyond the limit, nor with what a device would refuse", () => {
    expect(codeOf(() => make({ certificate: bytes("c".repeat(380)) }, LEAF))).toBe("size");
    expect(codeOf(() => make({ certificate: bytes("") }))).toBe("size");
    expect(codeOf(() => make({ request: bytes("r".repeat(32)) }))).toBe("size");
    expect(codeOf(() => make({ time: 253_402_300_800 }))).toBe("form");
    expect(codeOf(() => make({ settings: { roll: true } }))).toBe("profile");
    expect(codeOf(() => make({ settings: { deviceCounter: 7 } }))).toBe("profile");
    expect(codeOf(() => make({ settings: { sensors: [] } }))).toBe("size");
  });

  it("is deterministic CBOR, with the whole y of its ephemeral key", () => {
    const { message } = make({}, LEAF);
    expect(encodeOracle(decodeOracle(message))).toBe(message);
    const { payload } = createEnrolledOpener(nodeCrypto).parse(message);
    const recipients = ((decodeOracle(payload) as Tag).value as unknown[])[3] as [unknown[]];
    expect(recipients).toHaveLength(1);
    const epk = (recipients[0][1] as Map<number, Map<number, Buffer>>).get(-1);
    expect(epk?.get(-3)).toHaveLength(32);
  });

  it("is taken as the other implementation makes it", () => {
    const party = makeParty();
    const { message } = buildEnrolled(registrar, party);
    const enrolled = createEnrolledOpener(nodeCrypto);
    expect(enrolled.open(enrolled.parse(message), party, registrar.publicKey)).toEqual({
      request: "\x01".repeat(16),
      certificate: "\x02".repeat(300),
      time: TIME,
      settings: {},
    });
  });
});

describe("refusals", () => {
  it("refuses a flip in every byte outside the certificate that rode along", () => {
    const { message } = make();
    const codes = flipEveryByte(message, open);
    expect(codes.none).toBeUndefined();
    expect(MESSAGE_CODES).toEqual(expect.arrayContaining(Object.keys(codes)));
  });

  it("with a leaf, lets nothing through but another leaf", () => {
    const { message } = make({ certificate: bytes("c") }, bytes("leaf"));
    const at = message.indexOf("leaf");
    for (let bit = 0; bit < message.length * 8; bit++) {
      const inLeaf = bit >> 3 >= at && bit >> 3 < at + 4;
      const code = codeOf(() => open(flipBit(message, bit)));
      if (inLeaf) expect(code).toBe("none");
      else expect(MESSAGE_CODES).toContain(code);
    }
  });

  it.each([undefined, LEAF])(
    "refuses a cut anywhere and every byte more, whatever rides along",
    (leaf) => {
      const { message } = make({}, leaf);
      for (let length = 0; length < message.length; length++)
        expect(MESSAGE_CODES).toContain(codeOf(() => open(message.slice(0, length) as Bytes)));
      expect(codeOf(() => open(`${message}\0` as Bytes))).toBe("cbor");
      expect(codeOf(() => open(message.padEnd(DOWNWARD_LIMIT + 1, "\0") as Bytes))).toBe("size");
    },
  );

  it("refuses another signer, whichever kid it gives", () => {
    const other = makeParty();
    const { message } = make();
    expect(codeOf(() => open(message, other))).toBe("kid");
    const { parse, open: openParsed } = createEnrolledOpener(device.crypto);
    const renamed = { ...parse(message), kid: other.kid };
    expect(codeOf(() => openParsed(renamed, device, other.publicKey))).toBe("signature");
    const stolen = resign(other, device, "enrolled", parse(message).payload);
    expect(codeOf(() => open(stolen))).toBe("kid");
    expect(codeOf(() => open(stolen, other))).toBe("decrypt");
  });

  it("refuses what is for another device", () => {
    const neighbour = openDevice();
    const { message } = make();
    const enrolled = createEnrolledOpener(neighbour.crypto);
    const code = codeOf(() =>
      enrolled.open(enrolled.parse(message), neighbour, registrar.publicKey),
    );
    expect(code).toBe("signature");
    const resigned = resign(registrar, neighbour, "enrolled", parseSign1(message).payload);
    const moved = codeOf(() =>
      enrolled.open(enrolled.parse(resigned), neighbour, registrar.publicKey),
    );
    expect(moved).toBe("kid");
    neighbour.close();
  });

  it("is no command, were its signer taken for a provisioner", () => {
    const command = createCommandOpener(device.crypto);
    const read = (message: Bytes) =>
      codeOf(() => command.open(command.parse(message), device, registrar.publicKey));
    expect(read(make().message)).toBe("signature");
    const resigned = resign(registrar, device, "command", parseSign1(make().message).payload);
    expect(read(resigned)).toBe("decrypt");
  });
});
