import { describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../../cloud/crypto/node-crypto.ts";
import { type Bytes, bytes } from "../../../protocol/bytes.ts";
import { type KeyHandle, USAGE_DECRYPT, USAGE_ENCRYPT } from "../../../protocol/cose/crypto.ts";
import { codeOf, flipBit } from "./support.ts";

const crypto = createNodeCrypto();
const nonce = bytes("nonce 12 byt");
const place = bytes("device, session 1");
const kek = crypto.importKek(crypto.generateRandom(32));

describe("session keys at rest", () => {
  it("opens what it sealed, with the usage asked for", () => {
    const key = crypto.generateKey(USAGE_ENCRYPT);
    const sealed = crypto.sealKey(key, kek, place);
    expect(sealed).toHaveLength(44);
    const opened = crypto.openKey(sealed, kek, place, USAGE_DECRYPT);
    const reading = crypto.aeadEncrypt(key, nonce, place, bytes("reading"));
    expect(crypto.aeadDecrypt(opened, nonce, place, reading)).toBe("reading");
    expect(codeOf(() => crypto.aeadEncrypt(opened, nonce, place, place))).toBe("key");
  });

  it("opens in another process that holds the same key-encryption key", () => {
    const secret = crypto.generateRandom(32);
    const key = crypto.generateKey(USAGE_ENCRYPT);
    const sealed = crypto.sealKey(key, crypto.importKek(secret), place);
    const other = createNodeCrypto();
    const opened = other.openKey(sealed, other.importKek(secret), place, USAGE_DECRYPT);
    const reading = crypto.aeadEncrypt(key, nonce, place, bytes("reading"));
    expect(other.aeadDecrypt(opened, nonce, place, reading)).toBe("reading");
  });

  it("seals the same key differently each time", () => {
    const key = crypto.generateKey(USAGE_ENCRYPT);
    expect(crypto.sealKey(key, kek, place)).not.toBe(crypto.sealKey(key, kek, place));
  });

  it("refuses another place, another key and every flipped bit with decrypt", () => {
    const sealed = crypto.sealKey(crypto.generateKey(USAGE_ENCRYPT), kek, place);
    const open = (bits: Bytes, key: KeyHandle, aad: Bytes) =>
      codeOf(() => crypto.openKey(bits, key, aad, USAGE_DECRYPT));
    expect(open(sealed, kek, bytes("device, session 2"))).toBe("decrypt");
    expect(open(sealed, crypto.importKek(crypto.generateRandom(32)), place)).toBe("decrypt");
    for (let bit = 0; bit < 44 * 8; bit += 11)
      expect(open(flipBit(sealed, bit), kek, place)).toBe("decrypt");
  });

  it("refuses wrong sizes and wrong kinds", () => {
    const key = crypto.generateKey(USAGE_ENCRYPT);
    const sealed = crypto.sealKey(key, kek, place);
    expect(codeOf(() => crypto.importKek(crypto.generateRandom(16)))).toBe("argument");
    expect(codeOf(() => crypto.openKey(sealed.slice(1) as Bytes, kek, place, 8))).toBe("argument");
    expect(codeOf(() => crypto.openKey(sealed, key, place, 8))).toBe("key");
    expect(codeOf(() => crypto.sealKey(key, key, place))).toBe("key");
    expect(codeOf(() => crypto.sealKey(kek, kek, place))).toBe("key");
    expect(codeOf(() => crypto.aeadEncrypt(kek, nonce, place, place))).toBe("key");
  });
});
