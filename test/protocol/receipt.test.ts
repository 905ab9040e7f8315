import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import {
  type KeyHandle,
  USAGE_DECRYPT,
  USAGE_DERIVE,
  USAGE_ENCRYPT,
} from "../../protocol/cose/crypto.ts";
import { parseRandomIvEncrypt0, parseSequencedEncrypt0 } from "../../protocol/cose/encrypt0.ts";
import { parseSign1 } from "../../protocol/cose/sign1.ts";
import { createReadingSealer } from "../../protocol/reading.ts";
import {
  MAX_RECEIPT_ENTRIES,
  openReceipt,
  RECEIPT_KEY_INFO,
  type Receipt,
  sealReceipt,
} from "../../protocol/receipt.ts";
import { createSessionMaker, createSessionOpener } from "../../protocol/session-message.ts";
import { CLASSES } from "../../protocol/topics.ts";
import { encodeOracle, hex, toBinary } from "../support/cbor-oracle.ts";
import {
  aadOracle,
  buildEncrypt0,
  type Encrypt0Changes,
  hkdfOracle,
} from "../support/cose-builder.ts";
import {
  importContentKey,
  makeParty,
  nodeCrypto,
  openDevice,
  type TestDevice,
} from "../support/parties.ts";
import { codeOf, flipEveryBit, MESSAGE_CODES } from "../support/refusal.ts";

const cloud = makeParty();
const kid = hex("0102");
const hash = bytes("sixteen byte mac");
const example: Receipt = {
  time: 1_800_000_000,
  messages: [hash],
  readings: [
    { sessionKid: hex("01"), first: 1, last: 1 },
    { sessionKid: kid, first: 24, last: 1_048_576 },
  ],
};

let device: TestDevice;
/** The receipt key on both ends, agreed by a real session message. */
let deviceKey: KeyHandle;
let cloudKey: KeyHandle;

beforeAll(() => {
  device = openDevice();
  const made = createSessionMaker(device.crypto)(
    device,
    [cloud],
    device.crypto.nextDeviceCounter(),
  );
  const session = createSessionOpener(nodeCrypto)(parseSign1(made.message), device, cloud);
  deviceKey = device.crypto.deriveKey(made.key, RECEIPT_KEY_INFO, USAGE_DECRYPT);
  cloudKey = nodeCrypto.deriveKey(session.key, RECEIPT_KEY_INFO, USAGE_ENCRYPT);
});
afterAll(() => {
  device.close();
});

function seal(receipt: Receipt): Bytes {
  return sealReceipt(nodeCrypto, cloudKey, kid, device.thumbprint, receipt);
}

function open(message: Bytes): Receipt {
  return openReceipt(device.crypto, deviceKey, device.thumbprint, parseRandomIvEncrypt0(message));
}

/** A receipt whose payload is any bytes. */
function sealPayload(payload: Bytes): Bytes {
  const content = { ...nodeCrypto, aeadEncrypt: withPlaintext(payload) };
  return sealReceipt(content, cloudKey, kid, device.thumbprint, example);
}

function withPlaintext(payload: Bytes) {
  return (key: KeyHandle, nonce: Bytes, aad: Bytes) =>
    nodeCrypto.aeadEncrypt(key, nonce, aad, payload);
}

describe("a receipt", () => {
  it("comes back as it was sealed", () => {
    const empty = { time: 0, messages: [], readings: [] };
    for (const receipt of [example, empty]) expect(open(seal(receipt))).toEqual(receipt);
    expect(parseRandomIvEncrypt0(seal(example)).sessionKid).toBe(kid);
  });

  it("has a fresh IV each time", () => {
    const ivs = Array.from({ length: 100 }, () => parseRandomIvEncrypt0(seal(example)).iv);
    expect(new Set(ivs).size).toBe(100);
  });

  it("carries 24 entries of both lists within the bound downward, and no more", () => {
    const full: Receipt = {
      time: 4_102_444_800,
      messages: Array.from({ length: MAX_RECEIPT_ENTRIES }, () => hash),
      readings: Array.from({ length: MAX_RECEIPT_ENTRIES }, () => ({
        sessionKid: hex("ffffffff"),
        first: 1_048_575,
        last: 1_048_576,
      })),
    };
    const message = seal(full);
    expect(message.length).toBeLessThanOrEqual(CLASSES.receipt.limit);
    expect(open(message)).toEqual(full);
    const oneMore = { ...full, messages: [...full.messages, hash] };
    expect(codeOf(() => seal(oneMore))).toBe("size");
    const oneRangeMore = { ...full, readings: [...full.readings, ...example.readings] };
    expect(codeOf(() => seal(oneRangeMore))).toBe("size");
  });

  it("is taken as the other implementation makes it, under a key of its own HKDF", () => {
    const sessionKey = Buffer.alloc(16, 0x2a);
    const derived = nodeCrypto.deriveKey(
      importContentKey(sessionKey, USAGE_DERIVE),
      RECEIPT_KEY_INFO,
      USAGE_DECRYPT,
    );
    const message = buildReceipt(hkdfOracle(sessionKey, RECEIPT_KEY_INFO));
    const parsed = parseRandomIvEncrypt0(message);
    expect(openReceipt(nodeCrypto, derived, device.thumbprint, parsed)).toEqual(example);
  });

  it("writes its payload as cbor-x does", () => {
    const key = Buffer.alloc(16, 0x2b);
    const handle = importContentKey(key, USAGE_ENCRYPT | USAGE_DECRYPT);
    const parsed = parseRandomIvEncrypt0(
      sealReceipt(nodeCrypto, handle, kid, device.thumbprint, example),
    );
    const aad = encodeOracle([
      "Encrypt0",
      toBinary(parsed.protectedHeader),
      toBinary(aadOracle("receipt", device.thumbprint)),
    ]);
    const payload = nodeCrypto.aeadDecrypt(handle, parsed.iv, aad, parsed.ciphertext);
    expect(payload).toBe(encodeOracle(payloadMap()));
  });
});

const three = (time: unknown, hashes: unknown, ranges: unknown) =>
  new Map([
    [1, time],
    [2, hashes],
    [3, ranges],
  ]);

function payloadMap(): Map<number, unknown> {
  const ranges = example.readings.map(({ sessionKid, first, last }) => [
    toBinary(sessionKid),
    first,
    last,
  ]);
  return three(example.time, example.messages.map(toBinary), ranges);
}

function buildReceipt(key: Buffer, changes: Encrypt0Changes = {}): Bytes {
  const iv = randomBytes(12);
  return buildEncrypt0(
    key,
    iv,
    aadOracle("receipt", device.thumbprint),
    new Map<number, unknown>([
      [1, 1],
      [4, toBinary(kid)],
    ]),
    new Map([[5, iv]]),
    encodeOracle(payloadMap()),
    changes,
  );
}

describe("what a receipt cannot be turned into", () => {
  it("is refused for every single-bit flip and every truncation", () => {
    const message = seal(example);
    const codes = flipEveryBit(message, open);
    expect(codes.none).toBeUndefined();
    expect(MESSAGE_CODES).toEqual(expect.arrayContaining(Object.keys(codes)));
    for (let length = 0; length < message.length; length++)
      expect(MESSAGE_CODES).toContain(codeOf(() => open(message.slice(0, length) as Bytes)));
    expect(codeOf(() => open(`${message}\0` as Bytes))).toBe("cbor");
  });

  it("does not open as another device's, nor under another session's receipt key", () => {
    const parsed = parseRandomIvEncrypt0(seal(example));
    const theirs = () => openReceipt(device.crypto, deviceKey, cloud.thumbprint, parsed);
    expect(codeOf(theirs)).toBe("decrypt");
    const other = device.crypto.generateKey(USAGE_DECRYPT);
    expect(codeOf(() => openReceipt(device.crypto, other, device.thumbprint, parsed))).toBe(
      "decrypt",
    );
    device.crypto.destroyKey(other);
  });

  it("is no reading, and a reading is no receipt", () => {
    expect(codeOf(() => parseSequencedEncrypt0(seal(example)))).toBe("profile");
    const made = createSessionMaker(device.crypto)(
      device,
      [cloud],
      device.crypto.nextDeviceCounter(),
    );
    const sealReading = createReadingSealer(device.crypto, made, device.thumbprint);
    const reading = sealReading(device.crypto.reserveSequence(made.key), bytes("x"));
    expect(codeOf(() => parseRandomIvEncrypt0(reading))).toBe("profile");
  });
});

type Header = Map<number, unknown>;

const set =
  (...entries: [number, unknown][]) =>
  (header: Header) =>
    new Map([...header, ...entries]);

const messages: [name: string, code: string, changes: Encrypt0Changes][] = [
  ["nothing wrong", "none", {}],
  ["A256GCM", "profile", { header: set([1, 3]) }],
  ["no kid", "profile", { header: () => new Map([[1, 1]]) }],
  ["kid 0", "sequence", { header: set([4, Buffer.from([0])]) }],
  ["crit", "profile", { header: set([2, [4]]) }],
  ["a Partial IV", "profile", { header: set([6, Buffer.from([1])]) }],
  ["no IV", "profile", { unprotected: () => new Map() }],
  ["an IV of 13 bytes", "size", { unprotected: () => new Map([[5, Buffer.alloc(13)]]) }],
  ["a header beside the IV", "profile", { unprotected: set([16, 0]) }],
  ["no tag", "profile", { tag: undefined }],
  ["an element more", "profile", { parts: (parts) => [...parts, 0] }],
  ["detached content", "form", { parts: (parts) => [...parts.slice(0, 2), null] }],
  ["content shorter than a tag", "decrypt", { parts: (p) => [...p.slice(0, 2), Buffer.alloc(3)] }],
  ["external_aad of a reading", "decrypt", { aad: aadOracle("reading", cloud.thumbprint) }],
];

describe("a receipt made by hand", () => {
  it.each(messages)("with %s: %s", (_name, code, changes) => {
    const key = Buffer.alloc(16, 0x2c);
    const handle = importContentKey(key, USAGE_DECRYPT);
    const message = buildReceipt(key, changes);
    const opened = () =>
      openReceipt(nodeCrypto, handle, device.thumbprint, parseRandomIvEncrypt0(message));
    expect(codeOf(opened)).toBe(code);
  });
});

const range = (...parts: unknown[]) => three(0, [], [parts]);
const hashes = (count: number, length: number) => Array(count).fill(Buffer.alloc(length));
const one = Buffer.from([1]);

const payloads: [name: string, code: string, payload: unknown][] = [
  ["no map", "profile", []],
  ["nothing", "profile", new Map()],
  ["a negative time", "form", three(-1, [], [])],
  ["a time as text", "form", three("0", [], [])],
  ["a time in floating point", "form", three(0.5, [], [])],
  ["another order", "profile", new Map([...three(0, [], [])].reverse())],
  ["a fourth member", "profile", new Map([...three(0, [], []), [4, 0]])],
  ["a hash of 32 bytes", "size", three(0, hashes(1, 32), [])],
  ["a list that is none", "form", three(0, new Map(), [])],
  ["25 hashes", "size", three(0, hashes(25, 16), [])],
  ["25 ranges", "size", three(0, [], Array(25).fill([one, 1, 1]))],
  ["a range of two", "profile", range(one, 1)],
  ["a range of kid 0", "sequence", range(Buffer.from([0]), 1, 1)],
  ["a range from 0", "form", range(one, 0, 1)],
  ["a range backwards", "form", range(one, 2, 1)],
  ["a range with negative numbers", "form", range(one, -1, 1)],
];

describe("the payload of a receipt, sealed by the cloud itself,", () => {
  it.each(payloads)("with %s is refused: %s", (_name, code, payload) => {
    expect(codeOf(() => open(sealPayload(encodeOracle(payload))))).toBe(code);
  });

  it("with bytes after it is refused: cbor", () => {
    const payload = encodeOracle(payloadMap());
    expect(open(sealPayload(payload))).toEqual(example);
    expect(codeOf(() => open(sealPayload(`${payload}\0` as Bytes)))).toBe("cbor");
    expect(codeOf(() => open(sealPayload(bytes(""))))).toBe("profile");
  });
});
