import { afterEach, beforeEach, expect, it } from "vitest";
import type { Bytes } from "../../protocol/bytes.ts";
import {
  type KeyHandle,
  USAGE_CARRIED,
  USAGE_DECRYPT,
  USAGE_DERIVE,
  USAGE_ENCRYPT,
  USAGE_ENCRYPT_SEQUENCE,
  USAGE_WRAP,
} from "../../protocol/cose/crypto.ts";
import { describeAddon, type Module, makeStorePath, openAddon, thrownBy } from "./addon.ts";

const NONCE = "n".repeat(12) as Bytes;
const EMPTY = "" as Bytes;
const INPUT_MAX = 4096 + 64;

function handle(value: unknown): KeyHandle {
  return value as KeyHandle;
}

describeAddon("native addon", () => {
  const store = makeStorePath();
  let crypto: Module;

  beforeEach(() => {
    crypto = openAddon(store.path);
  });

  afterEach(() => {
    crypto.close();
    store.remove();
  });

  it("gives and takes all 256 byte values", () => {
    let all = "";
    for (let i = 0; i < 256; i++) all += String.fromCharCode(i);
    const key = crypto.generateKey(USAGE_ENCRYPT | USAGE_DECRYPT);
    const sealed = crypto.aeadEncrypt(key, NONCE, all as Bytes, all as Bytes);
    expect(crypto.aeadDecrypt(key, NONCE, all as Bytes, sealed)).toBe(all);
  });

  it("takes inputs up to 4,160 bytes, two at a time", () => {
    const key = crypto.generateKey(USAGE_ENCRYPT | USAGE_DECRYPT);
    const longest = "\xff".repeat(INPUT_MAX - 16) as Bytes;
    const aad = "a".repeat(INPUT_MAX) as Bytes;
    const sealed = crypto.aeadEncrypt(key, NONCE, aad, longest);
    expect(sealed.length).toBe(INPUT_MAX);
    expect(crypto.aeadDecrypt(key, NONCE, aad, sealed)).toBe(longest);
    expect(crypto.aeadEncrypt(key, NONCE, aad, aad).length).toBe(INPUT_MAX + 16);
    const tooLong = "a".repeat(INPUT_MAX + 1) as Bytes;
    expect(thrownBy(() => crypto.hashCompute(tooLong))?.code).toBe("argument");
    expect(thrownBy(() => crypto.generateRandom(INPUT_MAX + 1))?.code).toBe("argument");
    expect(crypto.generateRandom(INPUT_MAX).length).toBe(INPUT_MAX);
  });

  it.each([
    ["undefined", undefined],
    ["a number", 5],
    ["null", null],
    ["an array", [1, 2]],
    ["a Uint8Array", new Uint8Array(3)],
    ["a String object", Object("text")],
    ["a character above 255", "ab\u0100"],
    ["a surrogate pair", "\u{1f600}"],
  ])("refuses %s for bytes, as a TypeError", (_name, value) => {
    const wrong = value as Bytes;
    expect(thrownBy(() => crypto.hashCompute(wrong))).toEqual({ code: "argument", isType: true });
    const key = crypto.generateKey(USAGE_ENCRYPT);
    expect(thrownBy(() => crypto.aeadEncrypt(key, NONCE, wrong, EMPTY))?.code).toBe("argument");
    expect(thrownBy(() => crypto.aeadEncrypt(key, NONCE, EMPTY, wrong))?.code).toBe("argument");
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32 + 256, "256", undefined, {}])(
    "has no key under the handle %s",
    (value) => {
      crypto.generateKey(USAGE_ENCRYPT);
      expect(thrownBy(() => crypto.destroyKey(handle(value)))?.code).toBe("key");
      expect(thrownBy(() => crypto.exportPublicKey(handle(value)))?.code).toBe("key");
    },
  );

  it.each([-1, 0.5, Number.NaN, 2 ** 32, "4", undefined])("refuses the usage %s", (usage) => {
    expect(thrownBy(() => crypto.generateKey(usage as number))?.code).toBe("argument");
  });

  it("refuses wrong sizes of fixed inputs", () => {
    const key = crypto.generateKey(USAGE_ENCRYPT | USAGE_CARRIED);
    const device = crypto.openDeviceKey();
    const publicKey = crypto.exportPublicKey(device);
    const signature = crypto.signMessage(device, EMPTY);
    const wrapped = crypto.keyAgreementWrap(publicKey, EMPTY, key).slice(65) as Bytes;
    const cut = (bytes: Bytes) => bytes.slice(1) as Bytes;
    const calls = [
      () => crypto.aeadEncrypt(key, cut(NONCE), EMPTY, EMPTY),
      () => crypto.verifyMessage(cut(publicKey), EMPTY, signature),
      () => crypto.verifyMessage(publicKey, EMPTY, cut(signature)),
      () => crypto.keyAgreementWrap(cut(publicKey), EMPTY, key),
      () => crypto.keyAgreementUnwrap(device, publicKey, EMPTY, cut(wrapped), USAGE_DECRYPT),
      () => crypto.keyAgreementUnwrap(device, cut(publicKey), EMPTY, wrapped, USAGE_DECRYPT),
    ];
    for (const call of calls) expect(thrownBy(call)?.code).toBe("argument");
  });

  it("says what it expected and what it got", () => {
    const key = crypto.generateKey(USAGE_ENCRYPT);
    const wrong = () => crypto.aeadEncrypt(key, "short" as Bytes, EMPTY, EMPTY);
    expect(wrong).toThrow(/nonce, expected exactly 12 bytes, got 5/);
  });

  it("returns the prefix and the key of a carried key, never the key's bytes", () => {
    const carrier = crypto.generateKey(USAGE_WRAP | USAGE_DECRYPT);
    const carried = crypto.generateKey(USAGE_CARRIED | USAGE_ENCRYPT_SEQUENCE);
    const sealed = crypto.aeadEncryptKey(carrier, NONCE, EMPTY, "prefix" as Bytes, carried);
    const opened = crypto.aeadDecryptKey(carrier, NONCE, EMPTY, sealed, 6, USAGE_DECRYPT);
    expect(Object.keys(opened).sort()).toEqual(["key", "prefix"]);
    expect(opened.prefix).toBe("prefix");
    const peek = () => crypto.aeadDecrypt(carrier, NONCE, EMPTY, sealed);
    expect(thrownBy(peek)?.code).toBe("key");
    const wrongLength = () =>
      crypto.aeadDecryptKey(carrier, NONCE, EMPTY, sealed, 5, USAGE_DECRYPT);
    expect(thrownBy(wrongLength)?.code).toBe("form");
  });

  it("gives every slot back, and no more than 16", () => {
    const keys = Array.from({ length: 16 }, () => crypto.generateKey(USAGE_DERIVE));
    expect(new Set(keys).size).toBe(16);
    expect(thrownBy(() => crypto.generateKey(USAGE_DERIVE))?.code).toBe("key");
    for (const key of keys) crypto.destroyKey(key);
    for (const key of keys) expect(thrownBy(() => crypto.destroyKey(key))?.code).toBe("key");
    expect(keys).not.toContain(crypto.generateKey(USAGE_DERIVE));
  });

  it("ends with close: every function throws, and closing again is no error", () => {
    const { close, ...functions } = crypto;
    close();
    close();
    for (const call of Object.values(functions) as (() => unknown)[])
      expect(thrownBy(() => call())?.code).toBe("key");
  });

  it("keeps working through a function taken from an object that is gone", () => {
    const { generateRandom } = crypto;
    expect(generateRandom(4).length).toBe(4);
  });
});
