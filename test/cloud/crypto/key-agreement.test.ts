import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../../cloud/crypto/node-crypto.ts";
import { type Bytes, bytes } from "../../../protocol/bytes.ts";
import {
  type KeyHandle,
  USAGE_CARRIED,
  USAGE_DECRYPT,
  USAGE_DERIVE,
  USAGE_ENCRYPT,
  USAGE_SIGN,
} from "../../../protocol/cose/crypto.ts";
import { codeOf, flipBit } from "./support.ts";

const crypto = createNodeCrypto();
const nonce = bytes("nonce 12 byt");
const aad = bytes("aad");

function makePrivateKey(usage: number): KeyHandle {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return crypto.importPrivateKey(privateKey.export({ type: "pkcs8", format: "der" }), usage);
}

describe("key agreement", () => {
  const handle = makePrivateKey(USAGE_DERIVE);
  const point = crypto.exportPublicKey(handle);
  const context = bytes("context");

  function wrap() {
    const carried = crypto.generateKey(USAGE_CARRIED | USAGE_ENCRYPT);
    const out = crypto.keyAgreementWrap(point, context, carried);
    return { carried, ephemeral: out.slice(0, 65) as Bytes, wrapped: out.slice(65) as Bytes };
  }

  function compress(uncompressed: Bytes): Bytes {
    const sign = 2 + (uncompressed.charCodeAt(64) & 1);
    return (String.fromCharCode(sign) + uncompressed.slice(1, 33)) as Bytes;
  }

  it("unwraps what it wrapped, with the point in 65 bytes or in 33", () => {
    const { carried, ephemeral, wrapped } = wrap();
    expect(wrapped).toHaveLength(24);
    const sealed = crypto.aeadEncrypt(carried, nonce, aad, bytes("x"));
    for (const sent of [ephemeral, compress(ephemeral)]) {
      const key = crypto.keyAgreementUnwrap(handle, sent, context, wrapped, USAGE_DECRYPT);
      expect(crypto.aeadDecrypt(key, nonce, aad, sealed)).toBe("x");
    }
  });

  it("uses a fresh ephemeral key each time", () => {
    expect(wrap().ephemeral).not.toBe(wrap().ephemeral);
  });

  it("refuses another context, flipped bits and another key with decrypt", () => {
    const { ephemeral, wrapped } = wrap();
    const unwrap = (key: KeyHandle, sent: Bytes, info: Bytes, bits: Bytes) =>
      codeOf(() => crypto.keyAgreementUnwrap(key, sent, info, bits, USAGE_DECRYPT));
    expect(unwrap(handle, ephemeral, bytes("contexu"), wrapped)).toBe("decrypt");
    for (let bit = 0; bit < 24 * 8; bit += 7)
      expect(unwrap(handle, ephemeral, context, flipBit(wrapped, bit))).toBe("decrypt");
    const other = makePrivateKey(USAGE_DERIVE);
    expect(unwrap(other, ephemeral, context, wrapped)).toBe("decrypt");
  });

  it("refuses points off the curve or of another form, and wrong sizes, with argument", () => {
    const { ephemeral, wrapped } = wrap();
    const small = compress(ephemeral);
    // x = 3 has no y: x^3 - 3x + b is no square there.
    const xNotOnCurve = (String.fromCharCode(2) +
      "\0".repeat(31) +
      String.fromCharCode(3)) as Bytes;
    const hybrid = String.fromCharCode(6 + (ephemeral.charCodeAt(64) & 1)) + ephemeral.slice(1);
    const wrong = [
      flipBit(ephemeral, 64 * 8),
      hybrid,
      "\x04".padEnd(65, "\0"),
      `\x04${small.slice(1)}`,
      xNotOnCurve,
      "",
      "\0",
      ephemeral.slice(0, 64),
    ];
    for (const sent of wrong)
      expect(
        codeOf(() => crypto.keyAgreementUnwrap(handle, sent as Bytes, context, wrapped, 8)),
      ).toBe("argument");
    const short = wrapped.slice(1) as Bytes;
    expect(codeOf(() => crypto.keyAgreementUnwrap(handle, ephemeral, context, short, 8))).toBe(
      "argument",
    );
    const carried = crypto.generateKey(USAGE_CARRIED);
    for (const peer of [small, flipBit(point, 64 * 8), hybrid])
      expect(codeOf(() => crypto.keyAgreementWrap(peer as Bytes, context, carried))).toBe(
        "argument",
      );
  });

  it("refuses a private key without DERIVE", () => {
    const { ephemeral, wrapped } = wrap();
    const signer = makePrivateKey(USAGE_SIGN);
    const unwrap = () => crypto.keyAgreementUnwrap(signer, ephemeral, context, wrapped, 8);
    expect(codeOf(unwrap)).toBe("key");
  });
});
