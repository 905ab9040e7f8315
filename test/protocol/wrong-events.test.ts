/** Events with one thing wrong each, sealed and signed by an enrolled device as if they were right. */
import { describe, expect, it } from "vitest";
import type { Bytes } from "../../protocol/bytes.ts";
import { parseSign1 } from "../../protocol/cose/sign1.ts";
import { createEventOpener } from "../../protocol/event-message.ts";
import { encodeOracle, fromBinary, toBinary } from "../support/cbor-oracle.ts";
import {
  buildEvent,
  buildSession,
  buildSign1,
  type EventChanges,
} from "../support/cose-builder.ts";
import { makeParty, nodeCrypto } from "../support/parties.ts";
import { codeOf, flipBit, flipEveryBit, MESSAGE_CODES } from "../support/refusal.ts";
import { countKeys, set, type WrongRow, wrongLayers } from "../support/wrong-layers.ts";

const device = makeParty();
const cloud = makeParty();
const { crypto, live } = countKeys(nodeCrypto);
const openEvent = createEventOpener(crypto);

function open(message: Bytes) {
  return openEvent(parseSign1(message), device, cloud);
}

/** A content of another counter, or of other records. */
const counter = (value: unknown): EventChanges => ({ plaintext: ([, pack]) => [value, pack] });
const pack = (value: unknown): EventChanges => ({ plaintext: ([number]) => [number, value] });
const record = (...entries: [number, unknown][]) => pack([new Map<number, unknown>(entries)]);
const raw = (digits: string): EventChanges => ({ plaintext: () => Buffer.from(digits, "hex") });

const headers: WrongRow<EventChanges>[] = [
  ["a kid", "profile", { encryptHeader: set([4, Buffer.from([7])]) }],
  ["nothing in it", "profile", { encryptHeader: () => Buffer.alloc(0) }],
  ["an empty map", "profile", { encryptHeader: () => new Map() }],
];

const contents: WrongRow<EventChanges>[] = [
  ["nothing: there is no implied form", "profile", { plaintext: () => Buffer.alloc(0) }],
  ["counter 0", "sequence", counter(0)],
  ["a counter of 33 bits", "sequence", raw("821b000000010000000081a20064646f6f7204f5")],
  ["a counter below 0", "form", counter(-1)],
  ["a counter as bytes", "form", counter(Buffer.from([7]))],
  ["a counter in a longer form", "cbor", raw("82180781a20064646f6f7204f5")],
  ["the pack as bytes", "form", pack(Buffer.from("81a20064646f6f7204f5", "hex"))],
  ["the pack alone", "profile", { plaintext: ([, records]) => records }],
  ["the counter alone", "profile", { plaintext: ([number]) => [number] }],
  ["an element more", "profile", { plaintext: (parts) => [...parts, 0] }],
  ["a byte after it", "cbor", { plaintext: (parts) => trailingByte(parts) }],
  ["no record", "size", pack([])],
  ["17 records", "size", pack(Array.from({ length: 17 }, () => new Map([[0, "a"]])))],
  ["a string value", "form", record([0, "door"], [3, "open"])],
  ["a data value", "form", record([0, "door"], [8, Buffer.from([1])])],
  ["floating point", "form", record([0, "door"], [2, 1.5])],
  ["a record without a value", "cbor", record([0, "door"])],
  ["a base name", "profile", record([-2, "shed"], [0, "door"], [4, true])],
];

function trailingByte(parts: unknown[]): Buffer {
  return Buffer.concat([toBinary(encodeOracle(parts)), Buffer.alloc(1)]);
}

describe.each<[string, WrongRow<EventChanges>[]]>([
  ...wrongLayers("event", "session", device, cloud),
  ["the header of Encrypt", headers],
  ["the content", contents],
])("%s of an event", (_, rows) => {
  it.each(rows)("with %s is refused: %s", (_name, code, changes) => {
    const { message } = buildEvent(device, [cloud], 7, changes);
    expect(codeOf(() => open(message))).toBe(code);
    expect(live()).toBe(0);
  });
});

describe("an Encrypt that the device itself signed", () => {
  const resign = (encrypted: Bytes) => open(buildSign1(device, encrypted, {}, "event"));
  const { payload } = parseSign1(buildEvent(device, [cloud], 7).message);

  it("is refused for every single-bit flip but the sign of y, which ECDH does not use", () => {
    const { none, ...codes } = flipEveryBit(payload, resign);
    expect(MESSAGE_CODES).toEqual(expect.arrayContaining(Object.keys(codes)));
    expect(none).toBe(1);
    const signOfY = payload.length - 26 - 1;
    expect(codeOf(() => resign(flipBit(payload, signOfY * 8 + 7)))).toBe("none");
    expect(live()).toBe(0);
  });

  it("is refused when cut off anywhere", () => {
    for (let length = 0; length < payload.length; length++)
      expect(MESSAGE_CODES).toContain(codeOf(() => resign(payload.slice(0, length) as Bytes)));
  });

  it("is refused to another enrolled device that signs it again", () => {
    const attacker = makeParty();
    const stolen = parseSign1(buildSign1(attacker, payload, {}, "event"));
    expect(codeOf(() => openEvent(stolen, attacker, cloud))).toBe("decrypt");
  });
});

describe("messages of other kinds under the event's topic", () => {
  const session = buildSession(device, [cloud]).message;
  it.each([
    ["a session message", session, "signature"],
    ["a session's Encrypt, signed as an event", resigned(session), "profile"],
    ["a bare Encrypt", parseSign1(buildEvent(device, [cloud], 7).message).payload, "profile"],
    ["nothing", "" as Bytes, "profile"],
    ["JSON", fromBinary(Buffer.from('{"door":true}')), "profile"],
  ])("%s is refused: %s", (_name, message, code) => {
    expect(codeOf(() => open(message))).toBe(code);
    expect(live()).toBe(0);
  });

  function resigned(message: Bytes): Bytes {
    return buildSign1(device, parseSign1(message).payload, {}, "event");
  }
});
