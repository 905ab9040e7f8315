import { generateKeyPairSync, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../../cloud/crypto/node-crypto.ts";
import { type Bytes, bytes, toHex } from "../../../protocol/bytes.ts";
import {
  type KeyHandle,
  USAGE_CARRIED,
  USAGE_DECRYPT,
  USAGE_DERIVE,
  USAGE_ENCRYPT,
  USAGE_ENCRYPT_SEQUENCE,
  USAGE_SIGN,
  USAGE_WRAP,
} from "../../../protocol/cose/crypto.ts";
import { codeOf, flipBit } from "./support.ts";

const crypto = createNodeCrypto();
const nonce = bytes("nonce 12 byt");
const aad = bytes("aad");

function makePrivateKey(usage: number) {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = pair.privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  return { handle: crypto.importPrivateKey(pem, usage), pair, pem };
}

describe("hashCompute and generateRandom", () => {
  it("gives SHA-256 of the empty string and of abc (FIPS 180-4 examples)", () => {
    expect(toHex(crypto.hashCompute(bytes("")))).toBe(
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
    expect(toHex(crypto.hashCompute(bytes("abc")))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });

  it("gives bytes of the length asked for, different each time", () => {
    expect(crypto.generateRandom(33)).toHaveLength(33);
    expect(crypto.generateRandom(16)).not.toBe(crypto.generateRandom(16));
  });

  it("refuses a length that is no count and an input that is no byte string", () => {
    expect(codeOf(() => crypto.generateRandom(-1))).toBe("argument");
    expect(codeOf(() => crypto.generateRandom(1.5))).toBe("argument");
    expect(codeOf(() => crypto.hashCompute("\u0100" as Bytes))).toBe("argument");
    expect(codeOf(() => crypto.hashCompute(Buffer.from("a") as unknown as Bytes))).toBe("argument");
  });
});

describe("importPrivateKey", () => {
  it("takes PEM and DER, PKCS #8 and SEC 1, of one key", () => {
    const { handle, pair } = makePrivateKey(USAGE_SIGN);
    const point = crypto.exportPublicKey(handle);
    for (const type of ["pkcs8", "sec1"] as const) {
      const pem = pair.privateKey.export({ type, format: "pem" }) as string;
      const der = pair.privateKey.export({ type, format: "der" });
      expect(crypto.exportPublicKey(crypto.importPrivateKey(pem, USAGE_SIGN))).toBe(point);
      expect(crypto.exportPublicKey(crypto.importPrivateKey(der, USAGE_SIGN))).toBe(point);
    }
    const jwk = pair.publicKey.export({ format: "jwk" });
    const expected = Buffer.concat([
      Buffer.from([4]),
      Buffer.from(jwk.x as string, "base64url"),
      Buffer.from(jwk.y as string, "base64url"),
    ]);
    expect(point).toBe(expected.toString("latin1"));
  });

  it("takes SEC 1 without the public part, and refuses scalars out of range", () => {
    const encode = (scalar: string) =>
      Buffer.from(`30310201010420${scalar}a00a06082a8648ce3d030107`, "hex");
    // RFC 6979 appendix A.2.5.
    const scalar = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
    const x = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";
    const key = crypto.importPrivateKey(encode(scalar), USAGE_SIGN);
    expect(toHex(crypto.exportPublicKey(key)).slice(2, 66)).toBe(x);
    const order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    for (const wrong of ["0".repeat(64), order, "f".repeat(64)])
      expect(codeOf(() => crypto.importPrivateKey(encode(wrong), USAGE_SIGN))).toBe("argument");
  });

  it("leaves the caller's DER as it is", () => {
    const der = makePrivateKey(USAGE_SIGN).pair.privateKey.export({ type: "pkcs8", format: "der" });
    const before = Buffer.from(der);
    crypto.importPrivateKey(der, USAGE_SIGN);
    expect(der.equals(before)).toBe(true);
  });

  it("refuses other curves, other kinds, encrypted keys, public keys and noise", () => {
    const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const ed = generateKeyPairSync("ed25519");
    const { pair } = makePrivateKey(USAGE_SIGN);
    const wrong: (string | Uint8Array)[] = [
      p384.privateKey.export({ type: "pkcs8", format: "pem" }),
      ed.privateKey.export({ type: "pkcs8", format: "der" }),
      pair.publicKey.export({ type: "spki", format: "pem" }),
      pair.privateKey.export({
        type: "pkcs8",
        format: "pem",
        cipher: "aes-256-cbc",
        passphrase: "secret",
      }),
      "",
      "noise",
      new Uint8Array(0),
      new Uint8Array(138),
    ];
    for (const encoded of wrong)
      expect(codeOf(() => crypto.importPrivateKey(encoded, USAGE_SIGN))).toBe("argument");
  });

  it("refuses flags that a private key cannot have", () => {
    const { pem } = makePrivateKey(USAGE_SIGN);
    expect(codeOf(() => crypto.importPrivateKey(pem, USAGE_ENCRYPT))).toBe("argument");
    expect(codeOf(() => crypto.importPrivateKey(pem, 0.5))).toBe("argument");
  });
});

describe("signMessage and verifyMessage", () => {
  const { handle, pair } = makePrivateKey(USAGE_SIGN);
  const point = crypto.exportPublicKey(handle);
  const message = bytes("\x00message\xff");

  it("makes 64 bytes that both this door and node:crypto verify", () => {
    const signature = crypto.signMessage(handle, message);
    expect(signature).toHaveLength(64);
    expect(crypto.verifyMessage(point, message, signature)).toBe(true);
    const key = { key: pair.publicKey, dsaEncoding: "ieee-p1363" } as const;
    const [input, sig] = [Buffer.from(message, "latin1"), Buffer.from(signature, "latin1")];
    expect(verify("sha256", input, key, sig)).toBe(true);
  });

  it("says false to any flipped bit of message or signature and to another key", () => {
    const signature = crypto.signMessage(handle, message);
    for (let bit = 0; bit < 64 * 8; bit += 37)
      expect(crypto.verifyMessage(point, message, flipBit(signature, bit))).toBe(false);
    expect(crypto.verifyMessage(point, flipBit(message, 0), signature)).toBe(false);
    const other = crypto.exportPublicKey(makePrivateKey(USAGE_SIGN).handle);
    expect(crypto.verifyMessage(other, message, signature)).toBe(false);
  });

  it("refuses points and signatures of a wrong size, form or curve", () => {
    const signature = crypto.signMessage(handle, message);
    const hybrid = `${String.fromCharCode(6 + (point.charCodeAt(64) & 1))}${point.slice(1)}`;
    const wrong = [point.slice(1), `${point}\0`, hybrid, "", flipBit(point, 64 * 8)];
    for (const key of wrong)
      expect(codeOf(() => crypto.verifyMessage(key as Bytes, message, signature))).toBe("argument");
    for (const sig of [signature.slice(1), `${signature}\0`, ""])
      expect(codeOf(() => crypto.verifyMessage(point, message, sig as Bytes))).toBe("argument");
  });

  it("refuses a key without SIGN and a content key", () => {
    const derive = makePrivateKey(USAGE_DERIVE).handle;
    expect(codeOf(() => crypto.signMessage(derive, message))).toBe("key");
    expect(codeOf(() => crypto.signMessage(crypto.generateKey(USAGE_DERIVE), message))).toBe("key");
  });
});

describe("content keys", () => {
  it("encrypts and decrypts, and refuses every flipped part with decrypt", () => {
    const key = crypto.generateKey(USAGE_ENCRYPT | USAGE_DECRYPT);
    const plaintext = bytes("\x00plaintext\xff");
    const ciphertext = crypto.aeadEncrypt(key, nonce, aad, plaintext);
    expect(ciphertext).toHaveLength(plaintext.length + 16);
    expect(crypto.aeadDecrypt(key, nonce, aad, ciphertext)).toBe(plaintext);
    for (let bit = 0; bit < ciphertext.length * 8; bit += 13)
      expect(codeOf(() => crypto.aeadDecrypt(key, nonce, aad, flipBit(ciphertext, bit)))).toBe(
        "decrypt",
      );
    const withNonce = () => crypto.aeadDecrypt(key, flipBit(nonce, 3), aad, ciphertext);
    expect(codeOf(withNonce)).toBe("decrypt");
    const withAad = () => crypto.aeadDecrypt(key, nonce, bytes("aae"), ciphertext);
    expect(codeOf(withAad)).toBe("decrypt");
  });

  it("refuses sizes of nonce and ciphertext that the profile does not have", () => {
    const key = crypto.generateKey(USAGE_ENCRYPT | USAGE_DECRYPT);
    expect(codeOf(() => crypto.aeadEncrypt(key, bytes("short"), aad, aad))).toBe("argument");
    expect(codeOf(() => crypto.aeadDecrypt(key, nonce, aad, bytes("15 bytes of it!")))).toBe(
      "decrypt",
    );
  });

  it("derives by HKDF: two doors with the same key agree, another info does not", () => {
    const kek = crypto.importKek(crypto.generateRandom(32));
    const key = crypto.generateKey(USAGE_DERIVE);
    const copy = crypto.openKey(crypto.sealKey(key, kek, aad), kek, aad, USAGE_DERIVE);
    const sealer = crypto.deriveKey(key, bytes("info"), USAGE_ENCRYPT);
    const opener = crypto.deriveKey(copy, bytes("info"), USAGE_DECRYPT);
    const other = crypto.deriveKey(copy, bytes("other"), USAGE_DECRYPT);
    const ciphertext = crypto.aeadEncrypt(sealer, nonce, aad, bytes("x"));
    expect(crypto.aeadDecrypt(opener, nonce, aad, ciphertext)).toBe("x");
    expect(codeOf(() => crypto.aeadDecrypt(other, nonce, aad, ciphertext))).toBe("decrypt");
  });

  it("carries a key inside a ciphertext, and refuses it where its flags do", () => {
    const outer = crypto.generateKey(USAGE_WRAP | USAGE_DECRYPT);
    const inner = crypto.generateKey(USAGE_CARRIED | USAGE_ENCRYPT);
    const ciphertext = crypto.aeadEncryptKey(outer, nonce, aad, bytes("prefix"), inner);
    expect(ciphertext).toHaveLength(6 + 16 + 16);
    const opened = crypto.aeadDecryptKey(outer, nonce, aad, ciphertext, 6, USAGE_DECRYPT);
    expect(opened.prefix).toBe("prefix");
    const reading = crypto.aeadEncrypt(inner, nonce, aad, bytes("reading"));
    expect(crypto.aeadDecrypt(opened.key, nonce, aad, reading)).toBe("reading");

    const open = (prefixLength: number) =>
      codeOf(() => crypto.aeadDecryptKey(outer, nonce, aad, ciphertext, prefixLength, 8));
    expect(open(5)).toBe("form");
    expect(open(7)).toBe("form");
    expect(open(-1)).toBe("argument");
    const carry = (key: KeyHandle, carried: KeyHandle) =>
      codeOf(() => crypto.aeadEncryptKey(key, nonce, aad, aad, carried));
    const both = crypto.generateKey(USAGE_WRAP | USAGE_CARRIED);
    expect(carry(both, both)).toBe("key");
    expect(carry(inner, both)).toBe("key");
    expect(carry(outer, crypto.generateKey(USAGE_WRAP))).toBe("key");
  });

  it("enforces every flag: a key with all the others is refused", () => {
    const all = USAGE_DERIVE | USAGE_ENCRYPT | USAGE_DECRYPT | USAGE_WRAP | USAGE_CARRIED;
    const other = crypto.generateKey(all);
    const point = crypto.exportPublicKey(makePrivateKey(USAGE_DERIVE).handle);
    const sealed = crypto.aeadEncrypt(other, nonce, aad, aad);
    const uses: [number, (key: KeyHandle) => unknown][] = [
      [USAGE_ENCRYPT, (key) => crypto.aeadEncrypt(key, nonce, aad, aad)],
      [USAGE_DECRYPT, (key) => crypto.aeadDecrypt(key, nonce, aad, sealed)],
      [USAGE_DECRYPT, (key) => crypto.aeadDecryptKey(key, nonce, aad, sealed, 0, 4)],
      [USAGE_DERIVE, (key) => crypto.deriveKey(key, aad, USAGE_ENCRYPT)],
      [USAGE_WRAP, (key) => crypto.aeadEncryptKey(key, nonce, aad, aad, other)],
      [USAGE_CARRIED, (key) => crypto.aeadEncryptKey(other, nonce, aad, aad, key)],
      [USAGE_CARRIED, (key) => crypto.keyAgreementWrap(point, aad, key)],
    ];
    for (const [flag, use] of uses) {
      const without = crypto.generateKey(all & ~flag);
      expect(codeOf(() => use(without))).toBe("key");
    }
  });

  it("refuses flags of other kinds, and leaves sequence numbers to the device", () => {
    expect(codeOf(() => crypto.generateKey(USAGE_SIGN))).toBe("argument");
    expect(codeOf(() => crypto.generateKey(128))).toBe("argument");
    expect(codeOf(() => crypto.generateKey(Number.NaN))).toBe("argument");
    expect(codeOf(() => crypto.generateKey(0))).toBe("argument");
    expect(codeOf(() => crypto.generateKey(USAGE_ENCRYPT_SEQUENCE))).toBe("argument");
  });

  it("refuses a destroyed key, a second destruction and things that are no handle", () => {
    const key = crypto.generateKey(USAGE_ENCRYPT);
    crypto.destroyKey(key);
    expect(codeOf(() => crypto.aeadEncrypt(key, nonce, aad, aad))).toBe("key");
    expect(codeOf(() => crypto.destroyKey(key))).toBe("key");
    for (const thing of [256, {}, null, undefined, "key"])
      expect(codeOf(() => crypto.destroyKey(thing as unknown as KeyHandle))).toBe("key");
  });
});
