/**
 * Session messages with one thing wrong each. All of them are sealed and signed by
 * an enrolled device as if they were right, so nothing but the check named here
 * stands in their way.
 */
import { describe, expect, it } from "vitest";
import type { Bytes } from "../../protocol/bytes.ts";
import { parseSign1 } from "../../protocol/cose/sign1.ts";
import { createSessionOpener } from "../../protocol/session-message.ts";
import { fromBinary } from "../support/cbor-oracle.ts";
import { buildSession, buildSign1, type SessionChanges } from "../support/cose-builder.ts";
import { makeParty, nodeCrypto } from "../support/parties.ts";
import { codeOf, flipBit, flipEveryBit, MESSAGE_CODES } from "../support/refusal.ts";
import { countKeys, only, set, type WrongRow, wrongLayers } from "../support/wrong-layers.ts";

const device = makeParty();
const cloud = makeParty();
const { crypto, live } = countKeys(nodeCrypto);
const openSession = createSessionOpener(crypto);

function open(message: Bytes) {
  return openSession(parseSign1(message), device, cloud);
}

const headers: WrongRow<SessionChanges>[] = [
  ["no kid", "profile", { encryptHeader: only(1) }],
  ["an empty kid", "sequence", { sessionKid: Buffer.alloc(0) }],
  ["kid 0", "sequence", { sessionKid: Buffer.from([0]) }],
  ["a kid with a leading zero", "sequence", { sessionKid: Buffer.from([0, 7]) }],
  ["a kid of 5 bytes", "sequence", { sessionKid: Buffer.from([1, 0, 0, 0, 0]) }],
  ["a kid that the content does not have", "kid", { encryptHeader: set([4, Buffer.from([8])]) }],
];

const coseKeys: WrongRow<SessionChanges>[] = [
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

describe.each<[string, WrongRow<SessionChanges>[]]>([
  ...wrongLayers("session", "reading", device, cloud),
  ["the header of Encrypt", headers],
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
