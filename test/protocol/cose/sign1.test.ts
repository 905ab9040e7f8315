import { verify } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bytes, bytes, toHex } from "../../../protocol/bytes.ts";
import {
  createSign1Maker,
  hashSign1,
  MESSAGE_HASH_LENGTH,
  parseSign1,
  verifySign1,
} from "../../../protocol/cose/sign1.ts";
import { createStructures } from "../../../protocol/cose/structures.ts";
import { encodeOracle, fromBinary, hex, Tag, toBinary } from "../../support/cbor-oracle.ts";
import { publicKeyObject } from "../../support/cose-builder.ts";
import { makeParty, nodeCrypto, openDevice } from "../../support/parties.ts";
import { codeOf, flipEveryBit, MESSAGE_CODES } from "../../support/refusal.ts";

const { sigStructure } = createStructures();

const signer = makeParty();
const aad = bytes("additional");
const payload = bytes("\x00payload\xff");

function make() {
  return createSign1Maker(nodeCrypto)(signer.key, signer.kid, aad, payload);
}

describe("a Sign1", () => {
  it("is the structure that cbor-x writes, its signature one that node:crypto verifies", () => {
    const { message } = make();
    const { protectedHeader, signature } = parseSign1(message);
    const header = encodeOracle(
      new Map<number, unknown>([
        [1, -7],
        [4, toBinary(signer.kid)],
      ]),
    );
    expect(protectedHeader).toBe(header);
    const parts = [toBinary(header), new Map(), toBinary(payload), toBinary(signature)];
    expect(message).toBe(encodeOracle(new Tag(parts, 18)));
    const structure = toBinary(sigStructure(header, aad, payload));
    const key = { key: publicKeyObject(signer.publicKey), dsaEncoding: "ieee-p1363" } as const;
    expect(verify("sha256", structure, key, toBinary(signature))).toBe(true);
  });

  it("is taken apart into what it was made of", () => {
    const sign1 = parseSign1(make().message);
    expect(sign1.kid).toBe(signer.kid);
    expect(sign1.payload).toBe(payload);
    expect(sign1.signature).toHaveLength(64);
    expect(() => verifySign1(nodeCrypto, sign1, signer.publicKey, aad)).not.toThrow();
  });

  it("has a hash that both sides compute, of which 16 bytes name it", () => {
    const { message, hash } = make();
    expect(hashSign1(nodeCrypto, parseSign1(message), aad)).toBe(hash);
    expect(make().hash).toBe(hash);
    expect(hashSign1(nodeCrypto, parseSign1(message), bytes("other"))).not.toBe(hash);
    expect(MESSAGE_HASH_LENGTH).toBe(16);
  });

  it("made by the device's module is verified by the cloud's", () => {
    const device = openDevice();
    const { message } = createSign1Maker(device.crypto)(device.key, device.kid, aad, payload);
    expect(codeOf(() => verifySign1(nodeCrypto, parseSign1(message), device.publicKey, aad))).toBe(
      "none",
    );
    device.close();
  });
});

describe("refusals", () => {
  it("refuses another key, other external_aad, and every bit of the message turned", () => {
    const sign1 = parseSign1(make().message);
    const other = makeParty();
    expect(codeOf(() => verifySign1(nodeCrypto, sign1, other.publicKey, aad))).toBe("signature");
    expect(codeOf(() => verifySign1(nodeCrypto, sign1, signer.publicKey, bytes("")))).toBe(
      "signature",
    );
    const codes = flipEveryBit(make().message, (flipped) =>
      verifySign1(nodeCrypto, parseSign1(flipped), signer.publicKey, aad),
    );
    expect(codes.none).toBeUndefined();
    expect(MESSAGE_CODES).toEqual(expect.arrayContaining(Object.keys(codes)));
  });

  it("refuses any bytes with a code of a wrong message", () => {
    const message = make().message;
    const noise = fc.uint8Array({ maxLength: 140 }).map(fromBinary);
    const spliced = fc
      .tuple(fc.nat(message.length), fc.uint8Array({ maxLength: 9 }), fc.nat(9))
      .map(
        ([at, put, cut]) =>
          (message.slice(0, at) + fromBinary(put) + message.slice(at + cut)) as Bytes,
      )
      .filter((value) => value !== message);
    fc.assert(
      fc.property(fc.oneof(noise, spliced), (value) => {
        const open = () => verifySign1(nodeCrypto, parseSign1(value), signer.publicKey, aad);
        expect(MESSAGE_CODES).toContain(codeOf(open));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("RFC 9052 appendix C.2.1", () => {
  const publicKey = hex(`04
    bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff
    20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e`);
  const signature = hex(`
    8eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e
    2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36`);
  const content = bytes("This is the content.");

  it("verifies over our Sig_structure", () => {
    const structure = sigStructure(hex("a10126"), bytes(""), content);
    expect(nodeCrypto.verifyMessage(publicKey, structure, signature)).toBe(true);
  });

  it("is refused as a message: its kid is unprotected", () => {
    const parts = [
      Buffer.from("a10126", "hex"),
      new Map([[4, Buffer.from("11")]]),
      toBinary(content),
      toBinary(signature),
    ];
    const message = encodeOracle(new Tag(parts, 18));
    expect(toHex(message).slice(0, 24)).toBe("d28443a10126a10442313154");
    expect(codeOf(() => parseSign1(message))).toBe("profile");
  });
});
