import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bytes } from "../../../protocol/bytes.ts";
import {
  type DeviceCrypto,
  type KeyHandle,
  USAGE_CARRIED,
  USAGE_DECRYPT,
  USAGE_DERIVE,
  USAGE_ENCRYPT,
  USAGE_SIGN,
} from "../../../protocol/cose/crypto.ts";
import { codeOf } from "../../cloud/crypto/support.ts";
import { describeBoth, native, useDirectories, useModules } from "./implementations.ts";

const MESSAGE = bytes("message");
const WRONG_IDS = ["", "A", "elevenchars", "a-b", "a/b", "../a", "a\n", "\u0100", 5, undefined];

function signs(crypto: DeviceCrypto, key: KeyHandle): boolean {
  const signature = crypto.signMessage(key, MESSAGE);
  return crypto.verifyMessage(crypto.exportPublicKey(key), MESSAGE, signature);
}

describeBoth("stored keys", (open) => {
  const makeDirectory = useDirectories();
  const openModule = useModules(open);

  it("makes volatile pairs with exactly the usage that is asked for", () => {
    const directory = makeDirectory();
    const crypto = openModule(directory);
    const signer = crypto.generateKeyPair(USAGE_SIGN);
    const deriver = crypto.generateKeyPair(USAGE_DERIVE);
    expect(signs(crypto, signer)).toBe(true);
    expect(signs(crypto, crypto.generateKeyPair(USAGE_SIGN | USAGE_DERIVE))).toBe(true);
    expect(codeOf(() => crypto.signMessage(deriver, MESSAGE))).toBe("key");
    const carried = crypto.generateKey(USAGE_CARRIED);
    const agreed = crypto.keyAgreementWrap(crypto.exportPublicKey(deriver), MESSAGE, carried);
    const unwrap = (key: KeyHandle) =>
      crypto.keyAgreementUnwrap(
        key,
        bytes(agreed.slice(0, 65)),
        MESSAGE,
        bytes(agreed.slice(65)),
        USAGE_DECRYPT,
      );
    expect(codeOf(() => unwrap(deriver))).toBe("none");
    expect(codeOf(() => unwrap(signer))).toBe("key");
    for (const usage of [0, USAGE_ENCRYPT, USAGE_SIGN | USAGE_CARRIED, 128, 1.5, -1])
      expect(codeOf(() => crypto.generateKeyPair(usage))).toBe("argument");
    expect(readdirSync(directory).filter((name) => name !== "module.lock")).toEqual([]);
  });

  it("destroys volatile pairs, and no stored key", () => {
    const crypto = openModule(makeDirectory());
    const pair = crypto.generateKeyPair(USAGE_SIGN);
    crypto.destroyKey(pair);
    expect(codeOf(() => crypto.destroyKey(pair))).toBe("key");
    expect(codeOf(() => crypto.signMessage(pair, MESSAGE))).toBe("key");
    const stored = crypto.openKey("next");
    expect(codeOf(() => crypto.destroyKey(stored))).toBe("key");
    expect(signs(crypto, stored)).toBe(true);
  });

  it("moves a counter forward, over a restart, and never back", () => {
    const directory = makeDirectory();
    const first = openModule(directory);
    expect(codeOf(() => first.moveCounter("device", 9))).toBe("key");
    first.openDeviceKey();
    first.openKey("next");
    for (const wrong of [0, -1, 1.5, 2 ** 32])
      expect(codeOf(() => first.moveCounter("device", wrong))).toBe("argument");
    first.moveCounter("device", 900);
    first.moveCounter("device", 2);
    first.close();
    const again = openModule(directory);
    again.openDeviceKey();
    again.openKey("next");
    expect(again.nextDeviceCounter()).toBe(901);
    expect(again.nextCounter("next")).toBe(1);
    again.moveCounter("device", 2 ** 32 - 1);
    expect(codeOf(() => again.nextDeviceCounter())).toBe("sequence");
  });

  it("keeps two keys side by side, each with its own counter", () => {
    const directory = makeDirectory();
    const first = openModule(directory);
    expect(first.hasKey("next")).toBe(false);
    const device = first.openDeviceKey();
    expect(first.openKey("device")).toBe(device);
    const next = first.openKey("next");
    expect(first.hasKey("next")).toBe(true);
    const points = [device, next].map((key) => first.exportPublicKey(key));
    expect(points[0]).not.toBe(points[1]);
    expect([1, 2, 3].map(() => first.nextDeviceCounter())).toEqual([1, 2, 3]);
    expect(first.nextCounter("device")).toBe(4);
    expect(first.nextCounter("next")).toBe(1);
    first.close();
    const again = openModule(directory);
    expect(codeOf(() => again.nextCounter("next"))).toBe("key");
    expect(again.exportPublicKey(again.openKey("next"))).toBe(points[1]);
    expect(again.nextCounter("next")).toBe(2);
    expect(again.exportPublicKey(again.openDeviceKey())).toBe(points[0]);
    expect(again.nextDeviceCounter()).toBe(5);
  });

  it("erases a key, open or not, from memory and disk", () => {
    const directory = makeDirectory();
    const crypto = openModule(directory);
    const device = crypto.openDeviceKey();
    const point = crypto.exportPublicKey(device);
    const next = crypto.openKey("next");
    crypto.eraseKey("device");
    expect(codeOf(() => crypto.exportPublicKey(device))).toBe("key");
    expect(codeOf(() => crypto.nextDeviceCounter())).toBe("key");
    expect(crypto.hasKey("device")).toBe(false);
    for (const file of ["device-a", "device-b"])
      expect(existsSync(join(directory, file))).toBe(false);
    expect(signs(crypto, next)).toBe(true);
    crypto.eraseKey("device");
    expect(crypto.exportPublicKey(crypto.openDeviceKey())).not.toBe(point);
    expect(crypto.nextDeviceCounter()).toBe(1);
    crypto.close();
    openModule(directory).eraseKey("next");
    expect(existsSync(join(directory, "next-a"))).toBe(false);
  });

  it("closes a key that it could not erase, and says so", () => {
    const directory = makeDirectory();
    const crypto = openModule(directory);
    const next = crypto.openKey("next");
    rmSync(join(directory, "next-b"));
    mkdirSync(join(directory, "next-b", "full"), { recursive: true });
    expect(codeOf(() => crypto.eraseKey("next"))).toBe("store");
    expect(codeOf(() => crypto.signMessage(next, MESSAGE))).toBe("key");
    rmSync(join(directory, "next-b"), { recursive: true });
    crypto.eraseKey("next");
    expect(crypto.hasKey("next")).toBe(false);
  });

  it("opens four at a time", () => {
    const crypto = openModule(makeDirectory());
    for (const id of ["a", "b", "c", "0123456789"]) crypto.openKey(id);
    expect(codeOf(() => crypto.openKey("e"))).toBe("key");
    expect(crypto.hasKey("e")).toBe(false);
    crypto.eraseKey("b");
    expect(codeOf(() => crypto.openKey("e"))).toBe("none");
  });

  it.each(WRONG_IDS)("has no key of the id %j", (id) => {
    const crypto = openModule(makeDirectory());
    const wrong = id as string;
    expect(codeOf(() => crypto.openKey(wrong))).toBe("argument");
    expect(codeOf(() => crypto.hasKey(wrong))).toBe("argument");
    expect(codeOf(() => crypto.nextCounter(wrong))).toBe("argument");
    expect(codeOf(() => crypto.eraseKey(wrong))).toBe("argument");
  });

  it.skipIf(native.kind !== "native")("continues what the other implementation began", () => {
    const directory = makeDirectory();
    const points = [native.open, open, native.open].map((either, index) => {
      const crypto = either(directory);
      const point = crypto.exportPublicKey(crypto.openKey("next"));
      expect(crypto.nextCounter("next")).toBe(index + 1);
      crypto.close();
      return point;
    });
    expect(new Set(points).size).toBe(1);
  });
});
