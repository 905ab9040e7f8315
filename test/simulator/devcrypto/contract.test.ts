import { createHash } from "node:crypto";
import { beforeEach, expect, it } from "vitest";
import { type Bytes, bytes } from "../../../protocol/bytes.ts";
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
import type { OpenDeviceCrypto } from "../../../simulator/devcrypto/stand-in.ts";
import { codeOf, flipBit } from "../../cloud/crypto/support.ts";
import { describeBoth, useDirectories, useModules } from "./implementations.ts";

const nonce = bytes("nonce 12 byt");
const aad = bytes("aad");
const tooLong = "x".repeat(4096 + 65) as Bytes;
const notBytes = "\u0100" as Bytes;
const SLOTS = 16;

describeBoth("DeviceCrypto", (open) => {
  const directory = useDirectories();
  const openModule = useModules(open);
  let crypto: OpenDeviceCrypto;
  beforeEach(() => {
    crypto = openModule(directory());
  });

  /** A second handle for the same key, with another usage: through the device's own key. */
  function copy(carried: KeyHandle, usage: number): KeyHandle {
    const own = crypto.openDeviceKey();
    const out = crypto.keyAgreementWrap(crypto.exportPublicKey(own), aad, carried);
    const [point, wrapped] = [out.slice(0, 65) as Bytes, out.slice(65) as Bytes];
    return crypto.keyAgreementUnwrap(own, point, aad, wrapped, usage);
  }

  it("hashes with SHA-256 and gives random bytes of any length up to its limit", () => {
    const input = "x".repeat(4096 + 64) as Bytes;
    const expected = createHash("sha256").update(input).digest().toString("latin1");
    expect(crypto.hashCompute(input)).toBe(expected);
    expect(crypto.generateRandom(0)).toBe("");
    expect(crypto.generateRandom(4160)).toHaveLength(4160);
    expect(crypto.generateRandom(16)).not.toBe(crypto.generateRandom(16));
  });

  it("refuses what is no byte string or beyond its limits with argument", () => {
    const key = crypto.generateKey(USAGE_ENCRYPT | USAGE_DECRYPT | USAGE_DERIVE);
    for (const wrong of [tooLong, notBytes, undefined, 5, null, Buffer.from("x")] as Bytes[]) {
      expect(codeOf(() => crypto.hashCompute(wrong))).toBe("argument");
      expect(codeOf(() => crypto.aeadEncrypt(key, nonce, wrong, aad))).toBe("argument");
      expect(codeOf(() => crypto.aeadEncrypt(key, nonce, aad, wrong))).toBe("argument");
      expect(codeOf(() => crypto.aeadEncrypt(key, wrong, aad, aad))).toBe("argument");
      expect(codeOf(() => crypto.aeadDecrypt(key, nonce, aad, wrong))).toBe("argument");
      expect(codeOf(() => crypto.deriveKey(key, wrong, USAGE_ENCRYPT))).toBe("argument");
      expect(codeOf(() => crypto.signMessage(crypto.openDeviceKey(), wrong))).toBe("argument");
    }
    for (const length of [-1, 4161, 1.5, Number.NaN, "1", undefined] as number[])
      expect(codeOf(() => crypto.generateRandom(length))).toBe("argument");
  });

  it("gives handles that are integers, never 0, and never one of a destroyed key", () => {
    const first = crypto.generateKey(USAGE_ENCRYPT) as unknown as number;
    expect(Number.isInteger(first)).toBe(true);
    expect(first & 0xff).toBeLessThan(SLOTS);
    expect(first >> 8).toBeGreaterThan(0);
    crypto.destroyKey(first as unknown as KeyHandle);
    const second = crypto.generateKey(USAGE_ENCRYPT) as unknown as number;
    expect(second & 0xff).toBe(first & 0xff);
    expect(second).not.toBe(first);
    expect(codeOf(() => crypto.destroyKey(first as unknown as KeyHandle))).toBe("key");
  });

  it("refuses everything that is no live handle with key", () => {
    const live = crypto.generateKey(USAGE_ENCRYPT) as unknown as number;
    const wrong = [0, 5, 16, live + 256, live + 16, live + 0.5, -live, 2 ** 32 + live, "1", null];
    for (const handle of [...wrong, undefined, {}, Number.NaN] as unknown as KeyHandle[]) {
      expect(codeOf(() => crypto.aeadEncrypt(handle, nonce, aad, aad))).toBe("key");
      expect(codeOf(() => crypto.destroyKey(handle))).toBe("key");
    }
  });

  it("holds 16 keys and no more; a destroyed one makes room", () => {
    const keys = Array.from({ length: SLOTS }, () => crypto.generateKey(USAGE_DERIVE));
    const key = keys[0] as KeyHandle;
    expect(codeOf(() => crypto.generateKey(USAGE_ENCRYPT))).toBe("key");
    expect(codeOf(() => crypto.deriveKey(key, aad, USAGE_ENCRYPT))).toBe("key");
    expect(codeOf(() => crypto.openDeviceKey())).toBe("key");
    crypto.destroyKey(key);
    expect(codeOf(() => crypto.openDeviceKey())).toBe("none");
  });

  it("refuses flags that mean nothing together, and sequence numbers for keys not made here", () => {
    for (const usage of [0, USAGE_SIGN, 128, -1, 1.5, Number.NaN, undefined] as number[])
      expect(codeOf(() => crypto.generateKey(usage))).toBe("argument");
    for (const flag of [USAGE_ENCRYPT, USAGE_WRAP])
      expect(codeOf(() => crypto.generateKey(USAGE_ENCRYPT_SEQUENCE | flag))).toBe("argument");
    const key = crypto.generateKey(USAGE_DERIVE | USAGE_CARRIED);
    expect(codeOf(() => crypto.deriveKey(key, aad, USAGE_ENCRYPT_SEQUENCE))).toBe("argument");
    expect(codeOf(() => copy(key, USAGE_ENCRYPT_SEQUENCE))).toBe("argument");
  });

  it("enforces every flag: a key with all the others is refused with key", () => {
    const all = USAGE_DERIVE | USAGE_ENCRYPT | USAGE_DECRYPT | USAGE_CARRIED;
    const other = crypto.generateKey(all);
    const carrier = crypto.generateKey(USAGE_WRAP);
    const point = crypto.exportPublicKey(crypto.openDeviceKey());
    const sealed = crypto.aeadEncrypt(other, nonce, aad, aad);
    const uses: [number, (key: KeyHandle) => unknown][] = [
      [USAGE_ENCRYPT, (key) => crypto.aeadEncrypt(key, nonce, aad, aad)],
      [USAGE_DECRYPT, (key) => crypto.aeadDecrypt(key, nonce, aad, sealed)],
      [USAGE_DECRYPT, (key) => crypto.aeadDecryptKey(key, nonce, aad, sealed, 0, USAGE_ENCRYPT)],
      [USAGE_DERIVE, (key) => crypto.deriveKey(key, aad, USAGE_ENCRYPT)],
      [USAGE_WRAP, (key) => crypto.aeadEncryptKey(key, nonce, aad, aad, other)],
      [USAGE_CARRIED, (key) => crypto.aeadEncryptKey(carrier, nonce, aad, aad, key)],
      [USAGE_CARRIED, (key) => crypto.keyAgreementWrap(point, aad, key)],
      [USAGE_ENCRYPT_SEQUENCE, (key) => crypto.reserveSequence(key)],
      [USAGE_ENCRYPT_SEQUENCE, (key) => crypto.exportBaseIv(key)],
      [USAGE_ENCRYPT_SEQUENCE, (key) => crypto.aeadEncryptSequence(key, 1, aad, aad)],
    ];
    for (const [flag, use] of uses) {
      const without = crypto.generateKey(all & ~flag);
      expect(codeOf(() => use(without))).toBe("key");
      crypto.destroyKey(without);
    }
  });

  it("keeps private keys and AES keys apart", () => {
    const device = crypto.openDeviceKey();
    const key = crypto.generateKey(USAGE_DERIVE);
    expect(codeOf(() => crypto.deriveKey(device, aad, USAGE_ENCRYPT))).toBe("key");
    expect(codeOf(() => crypto.aeadEncrypt(device, nonce, aad, aad))).toBe("key");
    expect(codeOf(() => crypto.exportPublicKey(key))).toBe("key");
    expect(codeOf(() => crypto.signMessage(key, aad))).toBe("key");
    const point = crypto.exportPublicKey(device);
    const wrapped = bytes("24 bytes that wrap a key");
    const unwrap = () => crypto.keyAgreementUnwrap(key, point, aad, wrapped, USAGE_DECRYPT);
    expect(codeOf(unwrap)).toBe("key");
  });

  it("encrypts and decrypts; a flipped bit, nonce or aad is refused with decrypt", () => {
    const key = crypto.generateKey(USAGE_ENCRYPT | USAGE_DECRYPT);
    for (const plaintext of ["", "x", "\x00\xff".repeat(500)] as Bytes[]) {
      const ciphertext = crypto.aeadEncrypt(key, nonce, aad, plaintext);
      expect(ciphertext).toHaveLength(plaintext.length + 16);
      expect(crypto.aeadDecrypt(key, nonce, aad, ciphertext)).toBe(plaintext);
      const broken = flipBit(ciphertext, ciphertext.length * 8 - 1);
      expect(codeOf(() => crypto.aeadDecrypt(key, nonce, aad, broken))).toBe("decrypt");
    }
    const ciphertext = crypto.aeadEncrypt(key, nonce, aad, aad);
    const refused = (n: Bytes, a: Bytes, c: Bytes) =>
      codeOf(() => crypto.aeadDecrypt(key, n, a, c));
    expect(refused(flipBit(nonce, 0), aad, ciphertext)).toBe("decrypt");
    expect(refused(nonce, bytes("aae"), ciphertext)).toBe("decrypt");
    expect(refused(nonce, aad, ciphertext.slice(0, 15) as Bytes)).toBe("decrypt");
    expect(refused(bytes("nonce 11 by"), aad, ciphertext)).toBe("argument");
  });

  it("opens carried keys only as keys: a WRAP key decrypts no text", () => {
    const outer = crypto.generateKey(USAGE_WRAP | USAGE_DECRYPT);
    const inner = crypto.generateKey(USAGE_CARRIED | USAGE_ENCRYPT);
    const ciphertext = crypto.aeadEncryptKey(outer, nonce, aad, bytes("prefix"), inner);
    expect(ciphertext).toHaveLength(6 + 16 + 16);
    expect(codeOf(() => crypto.aeadDecrypt(outer, nonce, aad, ciphertext))).toBe("key");
    const opened = crypto.aeadDecryptKey(outer, nonce, aad, ciphertext, 6, USAGE_DECRYPT);
    expect(opened.prefix).toBe("prefix");
    const reading = crypto.aeadEncrypt(inner, nonce, aad, bytes("reading"));
    expect(crypto.aeadDecrypt(opened.key, nonce, aad, reading)).toBe("reading");
  });

  // Two ciphertexts under one nonce would give the carried key by XOR.
  it("encrypts one key, once, under a WRAP key, and makes none that encrypts text as well", () => {
    const outer = crypto.generateKey(USAGE_WRAP | USAGE_DECRYPT);
    const [inner, other] = [USAGE_CARRIED, USAGE_CARRIED].map((usage) => crypto.generateKey(usage));
    const carry = (prefix: Bytes, carried = inner as KeyHandle) =>
      crypto.aeadEncryptKey(outer, nonce, aad, prefix, carried);
    expect(codeOf(() => carry(aad, outer))).toBe("key");
    const ciphertext = carry(bytes("prefix"));
    expect(codeOf(() => carry("" as Bytes))).toBe("key");
    expect(codeOf(() => carry(bytes("prefix"), other))).toBe("key");
    expect(codeOf(() => crypto.aeadDecrypt(outer, nonce, aad, ciphertext))).toBe("key");
    crypto.aeadDecryptKey(outer, nonce, aad, ciphertext, 6, USAGE_DECRYPT);
    const both = USAGE_ENCRYPT | USAGE_WRAP;
    const source = crypto.generateKey(USAGE_DERIVE | USAGE_CARRIED);
    expect(codeOf(() => crypto.generateKey(both | USAGE_CARRIED))).toBe("argument");
    expect(codeOf(() => crypto.deriveKey(source, aad, both))).toBe("argument");
    expect(codeOf(() => copy(source, both))).toBe("argument");
    const open = () => crypto.aeadDecryptKey(outer, nonce, aad, ciphertext, 6, both);
    expect(codeOf(open)).toBe("argument");
  });

  it("refuses a carried key in the wrong place, of the wrong size or with the wrong tag", () => {
    const outer = crypto.generateKey(USAGE_WRAP | USAGE_DECRYPT | USAGE_CARRIED);
    const inner = crypto.generateKey(USAGE_CARRIED);
    const ciphertext = crypto.aeadEncryptKey(outer, nonce, aad, bytes("prefix"), inner);
    const refused = (text: Bytes, length: number) =>
      codeOf(() => crypto.aeadDecryptKey(outer, nonce, aad, text, length, USAGE_DECRYPT));
    expect(refused(ciphertext, 5)).toBe("form");
    expect(refused(ciphertext, 7)).toBe("form");
    expect(refused("x".repeat(161) as Bytes, 128)).toBe("form");
    expect(refused(ciphertext, 129)).toBe("argument");
    expect(refused(ciphertext, -1)).toBe("argument");
    expect(refused(flipBit(ciphertext, 8), 6)).toBe("decrypt");
    expect(refused(bytes("short"), 0)).toBe("decrypt");
    const fresh = crypto.generateKey(USAGE_WRAP | USAGE_CARRIED);
    const carry = (prefix: Bytes, carried: KeyHandle) =>
      codeOf(() => crypto.aeadEncryptKey(fresh, nonce, aad, prefix, carried));
    expect(carry(aad, fresh)).toBe("key");
    expect(carry("x".repeat(129) as Bytes, inner)).toBe("argument");
    expect(carry("x".repeat(128) as Bytes, inner)).toBe("none");
  });

  it("hands out sequence numbers from 1 and encrypts each once, under Base IV XOR number", () => {
    const key = crypto.generateKey(USAGE_ENCRYPT_SEQUENCE | USAGE_CARRIED);
    const reader = copy(key, USAGE_DECRYPT);
    const baseIv = crypto.exportBaseIv(key);
    expect(baseIv).toHaveLength(12);
    for (const number of [1, 2, 3]) {
      expect(crypto.reserveSequence(key)).toBe(number);
      const sealed = crypto.aeadEncryptSequence(key, number, aad, bytes("reading"));
      const last = String.fromCharCode(baseIv.charCodeAt(11) ^ number);
      const used = (baseIv.slice(0, 11) + last) as Bytes;
      expect(crypto.aeadDecrypt(reader, used, aad, sealed)).toBe("reading");
    }
  });

  it("refuses a number twice, one not reserved, one given up, and nonces of the caller's", () => {
    const key = crypto.generateKey(USAGE_ENCRYPT_SEQUENCE);
    const seal = (number: number) =>
      codeOf(() => crypto.aeadEncryptSequence(key, number, aad, aad));
    expect(seal(0)).toBe("sequence");
    expect(seal(1)).toBe("sequence");
    crypto.reserveSequence(key);
    crypto.reserveSequence(key);
    expect(seal(1)).toBe("sequence");
    expect(seal(3)).toBe("sequence");
    expect(seal(1.5)).toBe("argument");
    expect(seal(-1)).toBe("argument");
    expect(codeOf(() => crypto.aeadEncryptSequence(key, 2, aad, tooLong))).toBe("argument");
    expect(seal(2)).toBe("none");
    expect(seal(2)).toBe("sequence");
    expect(codeOf(() => crypto.aeadEncrypt(key, nonce, aad, aad))).toBe("key");
  });

  // A million calls: more than the usual five seconds on a busy machine.
  it("ends at 2^20 numbers", { timeout: 60_000 }, () => {
    const key = crypto.generateKey(USAGE_ENCRYPT_SEQUENCE);
    let last = 0;
    while (last < 2 ** 20) last = crypto.reserveSequence(key);
    expect(codeOf(() => crypto.reserveSequence(key))).toBe("sequence");
    expect(codeOf(() => crypto.aeadEncryptSequence(key, last, aad, aad))).toBe("sequence");
  });

  it("answers nothing once closed, and may be closed again", () => {
    const key = crypto.generateKey(USAGE_ENCRYPT);
    crypto.close();
    crypto.close();
    const { close, ...functions } = crypto;
    expect(typeof close).toBe("function");
    expect(Object.keys(functions)).toHaveLength(38);
    expect(codeOf(() => crypto.aeadEncrypt(key, nonce, aad, aad))).toBe("key");
    expect(codeOf(() => crypto.generateRandom(1))).toBe("key");
    expect(codeOf(() => crypto.openDeviceKey())).toBe("key");
  });

  it("knows no deep sleep on a computer: unsupported, and the key goes on", () => {
    const key = crypto.generateKey(USAGE_ENCRYPT_SEQUENCE);
    expect(crypto.reserveSequence(key)).toBe(1);
    for (const kept of [key, crypto.generateKey(USAGE_ENCRYPT), 0 as unknown as KeyHandle])
      expect(codeOf(() => crypto.keepSession(kept))).toBe("unsupported");
    expect(codeOf(() => crypto.resumeSession())).toBe("unsupported");
    expect(crypto.resetReason()).toBe(0);
    expect(crypto.aeadEncryptSequence(key, 1, aad, aad)).toHaveLength(aad.length + 16);
    expect(crypto.reserveSequence(key)).toBe(2);
  });
});
