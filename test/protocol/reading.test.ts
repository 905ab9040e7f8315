import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bytes, bytes, toBigEndian } from "../../protocol/bytes.ts";
import { USAGE_DECRYPT } from "../../protocol/cose/crypto.ts";
import { nonceOf, parseSequencedEncrypt0 } from "../../protocol/cose/encrypt0.ts";
import { parseSign1 } from "../../protocol/cose/sign1.ts";
import { createReadingSealer, openReading } from "../../protocol/reading.ts";
import { RECEIPT_KEY_INFO } from "../../protocol/receipt.ts";
import {
  createSessionMaker,
  createSessionOpener,
  type DeviceSession,
  type OpenedSession,
} from "../../protocol/session-message.ts";
import { encodeOracle, fromBinary, toBinary } from "../support/cbor-oracle.ts";
import {
  aadOracle,
  buildEncrypt0,
  buildSession,
  type Encrypt0Changes,
} from "../support/cose-builder.ts";
import { makeParty, nodeCrypto, openDevice, type TestDevice } from "../support/parties.ts";
import { codeOf, flipEveryBit, MESSAGE_CODES } from "../support/refusal.ts";

const cloud = makeParty();
const openSession = createSessionOpener(nodeCrypto);
const payload = bytes("x".repeat(32));
let device: TestDevice;
let made: DeviceSession;
let session: OpenedSession;
let seal: (sequence: number, content: Bytes) => Bytes;

function makeSession(counter: number): void {
  made = createSessionMaker(device.crypto)(device, [cloud], counter);
  session = openSession(parseSign1(made.message), device, cloud);
  seal = createReadingSealer(device.crypto, made, device.thumbprint);
}

function sealNext(content = payload): { sequence: number; message: Bytes } {
  const sequence = device.crypto.reserveSequence(made.key);
  return { sequence, message: seal(sequence, content) };
}

function open(message: Bytes): Bytes {
  return openReading(nodeCrypto, session, device.thumbprint, parseSequencedEncrypt0(message));
}

beforeAll(() => {
  device = openDevice();
  makeSession(255);
});
afterAll(() => {
  device.close();
});

describe("a reading", () => {
  it("comes back as it was sealed, with its session and sequence number", () => {
    for (const content of ["", "\0", "\xff\x80", "y".repeat(950)].map(bytes)) {
      const { sequence, message } = sealNext(content);
      const parsed = parseSequencedEncrypt0(message);
      expect(parsed.sequence).toBe(sequence);
      expect(parsed.partialIv).toBe(toBigEndian(sequence));
      expect(parsed.sessionKid).toBe(made.kid);
      expect(open(message)).toBe(content);
    }
  });

  it("is the same byte for byte as another implementation's", () => {
    const party = makeParty();
    const built = buildSession(party, [cloud]);
    const opened = openSession(parseSign1(built.message), party, cloud);
    const partialIv = Buffer.from([1, 2]);
    const nonce = nonceOf(fromBinary(built.baseIv), fromBinary(partialIv));
    const message = buildEncrypt0(
      built.sessionKey,
      toBinary(nonce),
      aadOracle("reading", party.thumbprint),
      new Map<number, unknown>([
        [1, 1],
        [4, Buffer.from([7])],
        [6, partialIv],
      ]),
      new Map(),
      payload,
    );
    const parsed = parseSequencedEncrypt0(message);
    expect(parsed.sequence).toBe(0x102);
    expect(openReading(nodeCrypto, opened, party.thumbprint, parsed)).toBe(payload);
  });
});

describe("the byte budget of a 32-byte payload", () => {
  it.each([
    [1, 63],
    [255, 63],
    [256, 64],
    [65536, 65],
    [16777216, 66],
  ])(
    "session %i: %i bytes with sequence 1, one more with 256, two with 65,536",
    (counter, length) => {
      const before = made;
      makeSession(counter);
      let message = bytes("");
      for (let next = 1; next <= 65536; next++) {
        const sequence = device.crypto.reserveSequence(made.key);
        if (sequence !== 1 && sequence !== 65535 && sequence !== 65536) continue;
        message = seal(sequence, payload);
        const more = toBigEndian(sequence).length - 1;
        expect(message.length).toBe(length + more);
        expect(open(message)).toBe(payload);
      }
      expect(parseSequencedEncrypt0(message).sequence).toBe(65536);
      device.crypto.destroyKey(made.key);
      made = before;
      session = openSession(parseSign1(made.message), device, cloud);
      seal = createReadingSealer(device.crypto, made, device.thumbprint);
    },
  );
});

describe("what a reading cannot be turned into", () => {
  it("is refused for every single-bit flip and every truncation", () => {
    const { message } = sealNext();
    expect(open(message)).toBe(payload);
    const codes = flipEveryBit(message, open);
    expect(codes.none).toBeUndefined();
    expect(MESSAGE_CODES).toEqual(expect.arrayContaining(Object.keys(codes)));
    for (let length = 0; length < message.length; length++)
      expect(MESSAGE_CODES).toContain(codeOf(() => open(message.slice(0, length) as Bytes)));
    expect(codeOf(() => open(`${message}\0` as Bytes))).toBe("cbor");
  });

  it("does not open as another device's, another session's or under the receipt key", () => {
    const { message } = sealNext();
    const parsed = parseSequencedEncrypt0(message);
    const other = makeParty();
    expect(codeOf(() => openReading(nodeCrypto, session, other.thumbprint, parsed))).toBe(
      "decrypt",
    );
    const built = buildSession(other, [cloud]);
    const theirs = openSession(parseSign1(built.message), other, cloud);
    expect(codeOf(() => openReading(nodeCrypto, theirs, device.thumbprint, parsed))).toBe(
      "decrypt",
    );
    const key = nodeCrypto.deriveKey(session.key, RECEIPT_KEY_INFO, USAGE_DECRYPT);
    const underReceiptKey = { key, baseIv: session.baseIv };
    expect(codeOf(() => openReading(nodeCrypto, underReceiptKey, device.thumbprint, parsed))).toBe(
      "decrypt",
    );
    const shifted = { key: session.key, baseIv: "b".repeat(12) as Bytes };
    expect(codeOf(() => openReading(nodeCrypto, shifted, device.thumbprint, parsed))).toBe(
      "decrypt",
    );
  });

  it("uses each sequence number once: the module refuses a second", () => {
    const { sequence } = sealNext();
    expect(codeOf(() => seal(sequence, payload))).toBe("sequence");
    expect(codeOf(() => seal(sequence + 1, payload))).toBe("sequence");
  });
});

type Header = Map<number, unknown>;

const set =
  (...entries: [number, unknown][]) =>
  (header: Header) =>
    new Map([...header, ...entries]);
const only =
  (...labels: number[]) =>
  (header: Header) =>
    new Map(labels.map((label) => [label, header.get(label)]));

function trailing(header: Header): Buffer {
  return Buffer.concat([toBinary(encodeOracle(header)), Buffer.alloc(1)]);
}

const rows: [name: string, code: string, changes: Encrypt0Changes, partialIv?: string][] = [
  ["nothing wrong", "none", {}],
  ["the longest Partial IV", "none", {}, "ffffffffff"],
  ["Partial IV 0", "sequence", {}, "00"],
  ["an empty Partial IV", "sequence", {}, ""],
  ["a Partial IV with a leading zero", "sequence", {}, "0001"],
  ["a Partial IV of 6 bytes", "sequence", {}, "010000000000"],
  ["kid 0", "sequence", { header: set([4, Buffer.from([0])]) }],
  ["a kid of 5 bytes", "sequence", { header: set([4, Buffer.alloc(5, 1)]) }],
  ["a kid as a number", "form", { header: set([4, 7]) }],
  ["A256GCM", "profile", { header: set([1, 3]) }],
  ["no kid", "profile", { header: only(1, 6) }],
  ["no Partial IV", "profile", { header: only(1, 4) }],
  ["the Partial IV first", "profile", { header: only(1, 6, 4) }],
  ["crit", "profile", { header: set([2, [6]]) }],
  ["bytes after the protected header", "cbor", { header: trailing }],
  ["an IV beside it", "profile", { header: set([5, Buffer.alloc(12)]) }],
  ["a protected header after it", "profile", { header: set([16, 0]) }],
  ["alg unprotected", "profile", { unprotected: () => new Map([[1, 1]]) }],
  ["the Partial IV unprotected", "profile", { unprotected: () => new Map([[6, Buffer.alloc(1)]]) }],
  ["no tag", "profile", { tag: undefined }],
  ["the tag of Encrypt", "profile", { tag: 96 }],
  ["an element more", "profile", { parts: (parts) => [...(parts as unknown[]), 0] }],
  ["detached content", "form", { parts: (parts) => [...parts.slice(0, 2), null] }],
  ["content shorter than a tag", "decrypt", { parts: (p) => [...p.slice(0, 2), Buffer.alloc(15)] }],
  ["external_aad of a receipt", "decrypt", { aad: aadOracle("receipt", cloud.thumbprint) }],
];

describe("a reading made by hand", () => {
  const party = makeParty();
  const built = buildSession(party, [cloud]);
  const opened = openSession(parseSign1(built.message), party, cloud);

  it.each(rows)("with %s: %s", (_name, code, changes, partialIv = "01") => {
    const iv = Buffer.from(partialIv, "hex");
    const nonce = toBinary(nonceOf(fromBinary(built.baseIv), fromBinary(iv)));
    const header = new Map<number, unknown>([
      [1, 1],
      [4, Buffer.from([7])],
      [6, iv],
    ]);
    const aad = aadOracle("reading", party.thumbprint);
    const message = buildEncrypt0(
      built.sessionKey,
      nonce,
      aad,
      header,
      new Map(),
      payload,
      changes,
    );
    const result = codeOf(() =>
      openReading(nodeCrypto, opened, party.thumbprint, parseSequencedEncrypt0(message)),
    );
    expect(result).toBe(code);
  });
});
