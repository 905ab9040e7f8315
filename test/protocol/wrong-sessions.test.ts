/**
 * Session messages with one thing wrong each. All of them are sealed and signed by
 * an enrolled device as if they were right, so nothing but the check named here
 * stands in their way.
 */
import { describe, expect, it } from "vitest";
import type { Bytes } from "../../protocol/bytes.ts";
import type { CoseCrypto } from "../../protocol/cose/crypto.ts";
import { parseSign1 } from "../../protocol/cose/sign1.ts";
import { createSessionOpener } from "../../protocol/session-message.ts";
import { encodeOracle, fromBinary, toBinary } from "../support/cbor-oracle.ts";
import {
  aadOracle,
  buildSession,
  buildSign1,
  kdfContextOracle,
  type SessionChanges,
} from "../support/cose-builder.ts";
import { makeParty, nodeCrypto } from "../support/parties.ts";
import { codeOf, flipBit, flipEveryBit, MESSAGE_CODES } from "../support/refusal.ts";

/** The door, and how many keys of its making have not been destroyed. */
function countKeys(door: CoseCrypto): { crypto: CoseCrypto; live: () => number } {
  let keys = 0;
  function counted<T>(value: T): T {
    keys++;
    return value;
  }
  const counting: CoseCrypto = {
    ...door,
    keyAgreementUnwrap: (...args) => counted(door.keyAgreementUnwrap(...args)),
    aeadDecryptKey: (...args) => counted(door.aeadDecryptKey(...args)),
    destroyKey(key) {
      door.destroyKey(key);
      keys--;
    },
  };
  return { crypto: counting, live: () => keys };
}

type Header = Map<number, unknown>;
type Row = [name: string, code: string, changes: SessionChanges];

const device = makeParty();
const cloud = makeParty();
const { crypto, live } = countKeys(nodeCrypto);
const openSession = createSessionOpener(crypto);

function open(message: Bytes) {
  return openSession(parseSign1(message), device, cloud);
}

/** The header with entries put in or replaced; new ones go to the end. */
function set(...entries: [number, unknown][]) {
  return (header: Header) => new Map([...header, ...entries]);
}

/** The header with only these entries, in this order. */
function only(...labels: number[]) {
  return (header: Header) => new Map(labels.map((label) => [label, header.get(label)]));
}

/** The array with one element replaced. */
function at(index: number, value: unknown) {
  return (parts: unknown[]) => parts.map((part, i) => (i === index ? value : part));
}

/** The header's own bytes and a zero after them. */
function trailing(header: Header): Buffer {
  return Buffer.concat([toBinary(encodeOracle(header)), Buffer.alloc(1)]);
}

function more(parts: unknown[]): unknown[] {
  return [...parts, Buffer.alloc(0)];
}

/** Changes the only recipient's array of three. */
function recipient(change: (entry: unknown[]) => unknown) {
  return { recipients: (list: unknown[]) => list.map((entry) => change(entry as unknown[])) };
}

function recipientHeader(change: (header: Header) => unknown) {
  return recipient((entry) => [entry[0], change(entry[1] as Header), entry[2]]);
}

function ephemeral(change: (key: Header) => unknown) {
  return recipientHeader((header) => new Map(header).set(-1, change(header.get(-1) as Header)));
}

const sign1: Row[] = [
  ["no tag", "profile", { sign1Tag: undefined }],
  ["the tag of COSE_Sign", "profile", { sign1Tag: 98 }],
  ["an element more", "profile", { sign1: more }],
  ["an element less", "profile", { sign1: (parts) => parts.slice(0, 3) }],
  ["ES384", "profile", { signHeader: set([1, -35]) }],
  ["EdDSA", "profile", { signHeader: set([1, -8]) }],
  ["no algorithm", "profile", { signHeader: only(4) }],
  ["no kid", "profile", { signHeader: only(1) }],
  ["the kid first", "profile", { signHeader: only(4, 1) }],
  ["a kid of 4 bytes", "size", { signHeader: set([4, Buffer.alloc(4)]) }],
  ["a kid as text", "form", { signHeader: set([4, "12345678"]) }],
  ["crit", "profile", { signHeader: set([2, [4]]) }],
  ["bytes after the protected header", "cbor", { signHeader: trailing }],
  ["a content type", "profile", { signHeader: set([3, 0]) }],
  ["an empty protected header", "profile", { signHeader: () => Buffer.alloc(0) }],
  ["alg unprotected too", "profile", { signUnprotected: () => new Map([[1, -7]]) }],
  ["a certificate chain", "profile", { signUnprotected: () => new Map([[33, Buffer.alloc(9)]]) }],
  ["a detached payload", "form", { sign1: at(2, null) }],
  ["an empty payload", "profile", { payload: () => "" as Bytes }],
  ["a signature of 63 bytes", "size", { sign1: at(3, Buffer.alloc(63)) }],
  ["a signature of 96 bytes", "size", { sign1: at(3, Buffer.alloc(96)) }],
  ["no signature", "form", { sign1: at(3, null) }],
  ["external_aad of a reading", "signature", { signAad: aadOracle("reading", device.thumbprint) }],
  [
    "external_aad of another device",
    "signature",
    { signAad: aadOracle("session", cloud.thumbprint) },
  ],
  ["no external_aad", "signature", { signAad: "" as Bytes }],
];

const encrypt: Row[] = [
  ["no tag", "profile", { encryptTag: undefined }],
  ["the tag of Encrypt0", "profile", { encryptTag: 16 }],
  ["an element more", "profile", { encrypt: more }],
  ["an element less", "profile", { encrypt: (parts) => parts.slice(0, 3) }],
  ["bytes after it", "cbor", { payload: (content) => `${content}\0` as Bytes }],
  ["A256GCM", "profile", { encryptHeader: set([1, 3]) }],
  ["AES-CCM", "profile", { encryptHeader: set([1, 10]) }],
  ["ChaCha20/Poly1305", "profile", { encryptHeader: set([1, 24]) }],
  ["no kid", "profile", { encryptHeader: only(1) }],
  ["crit", "profile", { encryptHeader: set([2, [4]]) }],
  ["bytes after the protected header", "cbor", { encryptHeader: trailing }],
  ["a Partial IV", "profile", { encryptHeader: set([6, Buffer.from([1])]) }],
  ["an empty kid", "sequence", { sessionKid: Buffer.alloc(0) }],
  ["kid 0", "sequence", { sessionKid: Buffer.from([0]) }],
  ["a kid with a leading zero", "sequence", { sessionKid: Buffer.from([0, 7]) }],
  ["a kid of 5 bytes", "sequence", { sessionKid: Buffer.from([1, 0, 0, 0, 0]) }],
  ["an IV of 128 bits", "size", { encryptUnprotected: set([5, Buffer.alloc(16)]) }],
  ["no IV", "profile", { encryptUnprotected: () => new Map() }],
  [
    "a Partial IV for the IV",
    "profile",
    { encryptUnprotected: () => new Map([[6, Buffer.alloc(1)]]) },
  ],
  ["another unprotected header", "profile", { encryptUnprotected: set([4, Buffer.alloc(1)]) }],
  ["alg unprotected", "profile", { encryptUnprotected: (h) => new Map([[1, 1], ...h]) }],
  ["detached content", "form", { encrypt: at(2, null) }],
  ["content shorter than a tag", "decrypt", { encrypt: at(2, Buffer.alloc(15)) }],
  ["external_aad of a reading", "decrypt", { encryptAad: aadOracle("reading", device.thumbprint) }],
  [
    "external_aad of another device",
    "decrypt",
    { encryptAad: aadOracle("session", cloud.thumbprint) },
  ],
  ["no external_aad", "decrypt", { encryptAad: "" as Bytes }],
  ["recipients that are no array", "form", { encrypt: at(3, new Map()) }],
  ["no recipient", "size", { recipients: () => [] }],
  ["a kid that the content does not have", "kid", { encryptHeader: set([4, Buffer.from([8])]) }],
];

const recipients: Row[] = [
  ["an element more", "profile", recipient(more)],
  ["an empty protected header", "profile", recipient(at(0, Buffer.alloc(0)))],
  ["direct agreement (-25)", "profile", recipient(at(0, Buffer.from("a1013818", "hex")))],
  ["A256KW (-31)", "profile", recipient(at(0, Buffer.from("a101381e", "hex")))],
  ["static-static (-32)", "profile", recipient(at(0, Buffer.from("a101381f", "hex")))],
  ["crit", "profile", recipient(at(0, Buffer.from("a202810101381c", "hex")))],
  ["no kid", "profile", recipientHeader(only(-1))],
  ["another cloud's kid", "kid", recipientHeader(set([4, toBinary(device.kid)]))],
  ["a kid of 32 bytes", "size", recipientHeader(set([4, toBinary(cloud.thumbprint)]))],
  ["a salt", "profile", recipientHeader(set([-20, Buffer.alloc(16)]))],
  ["alg unprotected", "profile", recipientHeader((h) => new Map([[1, -29], ...h]))],
  ["the ephemeral key first", "profile", recipientHeader(only(-1, 4))],
  [
    "a static key",
    "profile",
    recipientHeader(
      (h) =>
        new Map([
          [4, h.get(4)],
          [-2, h.get(-1)],
        ]),
    ),
  ],
  ["P-384", "profile", ephemeral(set([-1, 2]))],
  ["an OKP key", "profile", ephemeral(set([1, 1]))],
  ["x of 31 bytes", "size", ephemeral(set([-2, Buffer.alloc(31)]))],
  ["the whole y", "form", ephemeral(set([-3, Buffer.alloc(32)]))],
  ["a member more", "profile", ephemeral(set([4, []]))],
  // x = 3 has no y: x^3 - 3x + b is no square there.
  ["x off the curve", "argument", ephemeral(set([-2, Buffer.from("3".padStart(64, "0"), "hex")]))],
  ["x above the field's prime", "argument", ephemeral(set([-2, Buffer.alloc(32, 255)]))],
  ["a wrapped key of 40 bytes", "size", recipient(at(2, Buffer.alloc(40)))],
  ["a wrap that does not verify", "decrypt", recipient(at(2, Buffer.alloc(24)))],
  ["a nested recipient", "profile", recipient((entry) => [...entry, [entry]])],
  ["nil identities", "decrypt", { kdfContext: kdfContextOracle(null, null, "coseflow/1 session") }],
  [
    "the KDF context of another class",
    "decrypt",
    { kdfContext: kdfContextOracle(device.thumbprint, cloud.thumbprint, "coseflow/1 reading") },
  ],
  [
    "no SuppPubInfo.other",
    "decrypt",
    { kdfContext: kdfContextOracle(device.thumbprint, cloud.thumbprint, undefined) },
  ],
  [
    "sender and recipient exchanged",
    "decrypt",
    { kdfContext: kdfContextOracle(cloud.thumbprint, device.thumbprint, "coseflow/1 session") },
  ],
];

const coseKeys: Row[] = [
  ["of type EC2", "profile", { plaintext: set([1, 2]) }],
  ["for A256GCM", "profile", { plaintext: set([3, 3]) }],
  ["of another kid", "kid", { plaintext: set([2, Buffer.from([8])]) }],
  ["of a longer kid", "form", { plaintext: set([2, Buffer.from([7, 7])]) }],
  ["with key operations", "form", { plaintext: set([4, [4]]) }],
  ["without a Base IV", "form", { plaintext: only(1, 2, 3, -1) }],
  ["with a Base IV of 13 bytes", "form", { plaintext: set([5, Buffer.alloc(13)]) }],
  ["with a key of 32 bytes", "form", { plaintext: set([-1, Buffer.alloc(32)]) }],
  ["in another order", "profile", { plaintext: only(2, 1, 3, 5, -1) }],
  ["that is the bare 16 bytes", "form", { plaintext: () => Buffer.alloc(16) }],
  ["that is noise of its length", "profile", { plaintext: () => Buffer.alloc(40, 0x11) }],
];

describe.each([
  ["Sign1", sign1],
  ["Encrypt", encrypt],
  ["a recipient", recipients],
  ["a COSE_Key", coseKeys],
])("%s of a session message", (_, rows) => {
  it.each(rows)("with %s is refused: %s", (_name, code, changes) => {
    const { message } = buildSession(device, [cloud], changes);
    expect(codeOf(() => open(message))).toBe(code);
    expect(live()).toBe(0);
  });
});

describe("the keys of a session message", () => {
  it.each([
    ["carried", {}],
    ["implied", { plaintext: () => undefined }],
  ])("%s: the session key alone is left to the caller", (_name, changes: SessionChanges) => {
    const session = open(buildSession(device, [cloud], changes).message);
    expect(live()).toBe(1);
    crypto.destroyKey(session.key);
    expect(live()).toBe(0);
  });
});

describe("an Encrypt that the device itself signed", () => {
  it("is refused for every single-bit flip but the sign of y, which ECDH does not use", () => {
    const payload = parseSign1(buildSession(device, [cloud]).message).payload;
    const resign = (encrypted: Bytes) => open(buildSign1(device, encrypted));
    const { none, ...codes } = flipEveryBit(payload, resign);
    expect(MESSAGE_CODES).toEqual(expect.arrayContaining(Object.keys(codes)));
    // The shared secret is an x coordinate: the points of both signs have the same.
    expect(none).toBe(1);
    const signOfY = payload.length - 26 - 1;
    expect(["\xf4", "\xf5"]).toContain(payload.charAt(signOfY));
    expect(codeOf(() => resign(flipBit(payload, signOfY * 8 + 7)))).toBe("none");
  });

  it("is refused when cut off anywhere", () => {
    const payload = parseSign1(buildSession(device, [cloud]).message).payload;
    for (let length = 0; length < payload.length; length++) {
      const cut = payload.slice(0, length) as Bytes;
      expect(MESSAGE_CODES).toContain(codeOf(() => open(buildSign1(device, cut))));
    }
  });

  it("is refused with any head in a longer form", () => {
    const { message } = buildSession(device, [cloud], {
      // {1: 1, 4: h'07'} with the kid's length in a byte of its own.
      encryptHeader: () => Buffer.from("a2010104580107", "hex"),
    });
    expect(codeOf(() => open(message))).toBe("cbor");
  });
});

describe("messages of other kinds under the session's topic", () => {
  it.each([
    ["a bare Encrypt", parseSign1(buildSession(device, [cloud]).message).payload],
    ["a Sign1 in a Sign1", buildSign1(device, buildSession(device, [cloud]).message)],
    ["nothing", "" as Bytes],
    ["JSON", fromBinary(Buffer.from('{"device_id":"x"}'))],
  ])("%s is refused: profile", (_name, message) => {
    expect(codeOf(() => open(message))).toBe("profile");
  });
});
