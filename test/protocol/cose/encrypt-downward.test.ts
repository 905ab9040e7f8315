import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bytes, bytes } from "../../../protocol/bytes.ts";
import { createEncryptMaker, createEncryptOpener } from "../../../protocol/cose/encrypt.ts";
import {
  makeDownwardEncrypt,
  openDownwardEncrypt,
} from "../../../protocol/cose/encrypt-downward.ts";
import {
  decodeOracle,
  encodeOracle,
  fromBinary,
  type Tag,
  toBinary,
} from "../../support/cbor-oracle.ts";
import { makeParty, nodeCrypto } from "../../support/parties.ts";
import { codeOf } from "../../support/refusal.ts";
import { countKeys } from "../../support/wrong-layers.ts";

const signer = makeParty();
const device = makeParty();
const envelope = {
  messageClass: "command" as const,
  deviceThumbprint: device.thumbprint,
  senderThumbprint: signer.thumbprint,
};
const PLAIN = bytes("plain");

const make = (to = device) => makeDownwardEncrypt(nodeCrypto, envelope, to, PLAIN);
const open = (message: Bytes, changes = {}, self = device) =>
  openDownwardEncrypt(nodeCrypto, message, { ...envelope, ...changes }, self);

describe("a downward Encrypt", () => {
  it("opens to the device that it is for, and to no other", () => {
    const message = make();
    expect(open(message)).toBe(PLAIN);
    expect(codeOf(() => open(message, {}, makeParty()))).toBe("kid");
    const renamed = { ...makeParty(), thumbprint: device.thumbprint };
    expect(codeOf(() => open(message, {}, renamed))).toBe("decrypt");
  });

  it("opens with the class, device and sender that it was made with, and with no other", () => {
    const message = make();
    for (const changes of [
      { messageClass: "enrolled" as const },
      { senderThumbprint: device.thumbprint },
      { deviceThumbprint: signer.thumbprint },
    ])
      expect(codeOf(() => open(message, changes))).toBe("decrypt");
  });

  it("is deterministic CBOR with one recipient and a point of 64 bytes on the curve", () => {
    const message = make();
    expect(encodeOracle(decodeOracle(message))).toBe(message);
    const parts = (decodeOracle(message) as Tag).value as unknown[];
    expect(parts[0]).toEqual(Buffer.from("a10101", "hex"));
    const [[, header]] = parts[3] as [[unknown, Map<number, unknown>]];
    expect(header.get(4)).toEqual(toBinary(device.kid));
    const epk = header.get(-1) as Map<number, Buffer>;
    expect([...epk.keys()]).toEqual([1, -1, -2, -3]);
    expect([epk.get(-2)?.length, epk.get(-3)?.length]).toEqual([32, 32]);
  });

  it("has a fresh content key, IV and ephemeral key each time", () => {
    const [first, second] = [make(), make()];
    for (const [from, to] of [
      [10, 22],
      [24, 45],
      [first.length - 24, first.length],
    ] as const)
      expect(first.slice(from, to)).not.toBe(second.slice(from, to));
  });

  it("is not taken for an upward one, nor the other way", () => {
    const upward = createEncryptOpener(nodeCrypto);
    expect(codeOf(() => upward.parse(make()))).toBe("form");
    const header = bytes("\xa1\x01\x01");
    const other = createEncryptMaker(nodeCrypto)(header, envelope, [device], PLAIN, undefined);
    expect(codeOf(() => open(other))).toBe("form");
  });

  it("leaves no key behind, opened or refused", () => {
    const { crypto, live } = countKeys(nodeCrypto);
    const message = make();
    expect(openDownwardEncrypt(crypto, message, envelope, device)).toBe(PLAIN);
    const wrongClass = { ...envelope, deviceThumbprint: signer.thumbprint };
    expect(codeOf(() => openDownwardEncrypt(crypto, message, wrongClass, device))).toBe("decrypt");
    expect(live()).toBe(0);
  });

  it("is opened or refused with a code, whatever its bytes", () => {
    const message = make();
    const noise = fc.uint8Array({ maxLength: 60 }).map(fromBinary);
    const spliced = fc
      .tuple(fc.nat(message.length), fc.uint8Array({ maxLength: 9 }), fc.nat(9))
      .map(([at, put, cut]) => message.slice(0, at) + fromBinary(put) + message.slice(at + cut));
    fc.assert(
      fc.property(fc.oneof(noise, spliced), (value) => {
        fc.pre(value !== message);
        expect(["cbor", "form", "profile", "size", "kid", "argument", "decrypt"]).toContain(
          codeOf(() => open(value as Bytes)),
        );
      }),
      { numRuns: 1000 },
    );
  });
});
