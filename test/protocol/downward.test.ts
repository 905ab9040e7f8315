import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import { cborBytes } from "../../protocol/cbor.ts";
import type { CoseCrypto } from "../../protocol/cose/crypto.ts";
import { parseSign1 } from "../../protocol/cose/sign1.ts";
import { createDownwardOpener, sealDownward, signDownward } from "../../protocol/downward.ts";
import { DOWNWARD_LIMIT } from "../../protocol/topics.ts";
import { decodeOracle, fromBinary, type Tag } from "../support/cbor-oracle.ts";
import { makeParty, nodeCrypto } from "../support/parties.ts";
import { codeOf, flipBit, MESSAGE_CODES } from "../support/refusal.ts";

const signer = makeParty();
const device = makeParty();
/** After tag, array and a protected header of 13 bytes. */
const UNPROTECTED_AT = 16;
const LEAF = bytes("a certificate");
const PAYLOAD = bytes("\x01payload");

const sign = (leaf?: Bytes, payload = PAYLOAD) =>
  signDownward(nodeCrypto, "command", signer, device.thumbprint, payload, leaf);
const opener = createDownwardOpener(nodeCrypto, "command");

describe("a certificate that rides along", () => {
  it.each([1, 23, 24, 255, 256, 700])(
    "of %i bytes is taken out, and the rest is as without",
    (length) => {
      const leaf = bytes("c".repeat(length));
      const { message, hash } = sign(leaf);
      const [, unprotected] = (decodeOracle(message) as Tag).value as [
        unknown,
        Map<number, Buffer>,
      ];
      expect([...unprotected]).toEqual([[33, Buffer.from(leaf)]]);
      const { leaf: taken, ...sign1 } = opener.parse(message);
      expect(taken).toBe(leaf);
      const bare = (message.slice(0, UNPROTECTED_AT) +
        "\xa0" +
        message.slice(UNPROTECTED_AT + 3 + cborBytes(leaf).length)) as Bytes;
      expect(parseSign1(bare)).toEqual(sign1);
      expect(opener.verify(sign1, device.thumbprint, signer.publicKey)).toBe(signer.thumbprint);
      expect(hash).toHaveLength(32);
    },
  );

  it("is undefined where there is none", () => {
    expect(opener.parse(sign().message).leaf).toBeUndefined();
  });

  it("is taken out of a message that does not verify, too: it is for the caller to check", () => {
    const { message } = sign(LEAF);
    const forged = flipBit(message, message.length * 8 - 1);
    const parsed = opener.parse(forged);
    expect(parsed.leaf).toBe(LEAF);
    expect(codeOf(() => opener.verify(parsed, device.thumbprint, signer.publicKey))).toBe(
      "signature",
    );
  });
});

describe("the limit", () => {
  it("holds for what is made and for what is read", () => {
    const overhead = sign(LEAF, bytes("p".repeat(900))).message.length - 900;
    const longest = sign(LEAF, bytes("p".repeat(DOWNWARD_LIMIT - overhead))).message;
    expect(longest).toHaveLength(DOWNWARD_LIMIT);
    expect(opener.parse(longest).leaf).toBe(LEAF);
    const tooLong = bytes("p".repeat(DOWNWARD_LIMIT - overhead + 1));
    expect(codeOf(() => sign(LEAF, tooLong))).toBe("size");
    expect(codeOf(() => opener.parse(`${longest}\0` as Bytes))).toBe("size");
  });
});

describe("what is signed", () => {
  it("is for one class, device and signer", () => {
    const sign1 = opener.parse(sign().message);
    const other = makeParty();
    const enrolled = createDownwardOpener(nodeCrypto, "enrolled");
    const codes = [
      codeOf(() => opener.verify(sign1, device.thumbprint, signer.publicKey)),
      codeOf(() => enrolled.verify(sign1, device.thumbprint, signer.publicKey)),
      codeOf(() => opener.verify(sign1, other.thumbprint, signer.publicKey)),
      codeOf(() => opener.verify(sign1, device.thumbprint, other.publicKey)),
    ];
    expect(codes).toEqual(["none", "signature", "signature", "kid"]);
  });

  it("is verified before a key touches what is inside", () => {
    const crypto: CoseCrypto = {
      ...nodeCrypto,
      keyAgreementUnwrap: () => expect.unreachable(),
      aeadDecrypt: () => expect.unreachable(),
    };
    const { message } = sealDownward(nodeCrypto, "command", signer, device, PAYLOAD, LEAF);
    const { parse, verify, decrypt } = createDownwardOpener(crypto, "command");
    const open = (value: Bytes) => {
      const sign1 = parse(value);
      return decrypt(sign1.payload, device, verify(sign1, device.thumbprint, signer.publicKey));
    };
    expect(codeOf(() => open(flipBit(message, message.length * 8 - 1)))).toBe("signature");
    expect(() => open(message)).toThrow("not to be reached");
  });

  it("is taken apart or refused with a code, whatever its bytes", () => {
    const { message } = sign(LEAF);
    const noise = fc.uint8Array({ maxLength: 60 }).map((rest) => `\xd2\x84${fromBinary(rest)}`);
    const spliced = fc
      .tuple(fc.nat(message.length), fc.uint8Array({ maxLength: 9 }), fc.nat(9))
      .map(([at, put, cut]) => message.slice(0, at) + fromBinary(put) + message.slice(at + cut));
    fc.assert(
      fc.property(fc.oneof(noise, spliced), (value) => {
        expect(["none", ...MESSAGE_CODES]).toContain(codeOf(() => opener.parse(value as Bytes)));
      }),
      { numRuns: 2000 },
    );
  });
});
