import { createHmac, generateKeyPairSync } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { createNodeCrypto, type NodeCrypto } from "../../../cloud/crypto/node-crypto.ts";
import { type Bytes, bytes } from "../../../protocol/bytes.ts";
import {
  type CoseCrypto,
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
const context = bytes("KDF context");

/** One end: a door and its own P-256 key. */
interface End {
  crypto: CoseCrypto;
  key: KeyHandle;
}

function compress(point: Bytes): Bytes {
  return (String.fromCharCode(2 + (point.charCodeAt(64) & 1)) + point.slice(1, 33)) as Bytes;
}

/** Wraps at one end, unwraps at the other: two handles of one key. */
function share(from: End, to: End, usage: number, opened: number, squeeze = false) {
  const key = from.crypto.generateKey(usage | USAGE_CARRIED);
  const out = from.crypto.keyAgreementWrap(to.crypto.exportPublicKey(to.key), context, key);
  const [point, wrapped] = [out.slice(0, 65) as Bytes, out.slice(65) as Bytes];
  const sent = squeeze ? compress(point) : point;
  const copy = to.crypto.keyAgreementUnwrap(to.key, sent, context, wrapped, opened);
  return { key, copy, point, wrapped };
}

/** What one end makes and the other opens; run in both directions. */
function makeAndOpen(maker: () => End, opener: () => End): void {
  it("signs; the other verifies, and refuses a flipped bit", () => {
    const [from, to] = [maker(), opener()];
    const point = from.crypto.exportPublicKey(from.key);
    for (const message of ["", "message", "\x00\xff".repeat(2000)] as Bytes[]) {
      const signature = from.crypto.signMessage(from.key, message);
      expect(to.crypto.verifyMessage(point, message, signature)).toBe(true);
      for (const bit of [0, 255, 256, 511])
        expect(to.crypto.verifyMessage(point, message, flipBit(signature, bit))).toBe(false);
      expect(to.crypto.verifyMessage(point, `${message}x` as Bytes, signature)).toBe(false);
    }
  });

  it.each([
    ["65 bytes", false],
    ["33 bytes", true],
  ])("wraps a key; the other unwraps it with the point in %s", (_, squeeze) => {
    const [from, to] = [maker(), opener()];
    // Several keys, so that both signs of y occur.
    for (let i = 0; i < 6; i++) {
      const { key, copy } = share(from, to, USAGE_ENCRYPT, USAGE_DECRYPT, squeeze);
      const sealed = from.crypto.aeadEncrypt(key, nonce, aad, bytes("text"));
      expect(to.crypto.aeadDecrypt(copy, nonce, aad, sealed)).toBe("text");
      from.crypto.destroyKey(key);
      to.crypto.destroyKey(copy);
    }
  });

  it("wraps a key; the other refuses flipped bits, points off the curve and another context", () => {
    const [from, to] = [maker(), opener()];
    const { point, wrapped } = share(from, to, USAGE_ENCRYPT, USAGE_DECRYPT);
    const refused = (p: Bytes, info: Bytes, w: Bytes) =>
      codeOf(() => to.crypto.keyAgreementUnwrap(to.key, p, info, w, USAGE_DECRYPT));
    for (const bit of [0, 63, 64, 191])
      expect(refused(point, context, flipBit(wrapped, bit))).toBe("decrypt");
    expect(refused(point, bytes("KDF contexu"), wrapped)).toBe("decrypt");
    // Same x and the other y is another point with the same shared x: ECDH does not tell them apart.
    expect(refused(flipBit(compress(point), 7), context, wrapped)).toBe("none");
    expect(refused(flipBit(point, 64 * 8 + 7), context, wrapped)).toBe("argument");
    const noPoint = `\x02${"\0".repeat(31)}\x03` as Bytes;
    for (const p of [noPoint, `\x04${"\0".repeat(64)}`, `\x02${"\xff".repeat(32)}`, "\0", ""])
      expect(refused(p as Bytes, context, wrapped)).toBe("argument");
    const hybrid = String.fromCharCode(6 + (point.charCodeAt(64) & 1)) + point.slice(1);
    expect(refused(hybrid as Bytes, context, wrapped)).toBe("argument");
    expect(refused(point, context, wrapped.slice(1) as Bytes)).toBe("argument");
  });

  it("carries a key in a ciphertext; the other takes it out", () => {
    const [from, to] = [maker(), opener()];
    const cek = share(from, to, USAGE_WRAP, USAGE_DECRYPT);
    const inner = from.crypto.generateKey(USAGE_CARRIED | USAGE_ENCRYPT);
    const sealed = from.crypto.aeadEncryptKey(cek.key, nonce, aad, bytes("COSE_Key"), inner);
    const opened = to.crypto.aeadDecryptKey(cek.copy, nonce, aad, sealed, 8, USAGE_DECRYPT);
    expect(opened.prefix).toBe("COSE_Key");
    const reading = from.crypto.aeadEncrypt(inner, nonce, aad, bytes("reading"));
    expect(to.crypto.aeadDecrypt(opened.key, nonce, aad, reading)).toBe("reading");
    const open = (text: Bytes, length: number) =>
      codeOf(() => to.crypto.aeadDecryptKey(cek.copy, nonce, aad, text, length, USAGE_DECRYPT));
    for (const bit of [0, 64, sealed.length * 8 - 1])
      expect(open(flipBit(sealed, bit), 8)).toBe("decrypt");
    expect(open(sealed, 9)).toBe("form");
  });

  it("derives the same key at both ends by HKDF, and another for another info", () => {
    const [from, to] = [maker(), opener()];
    const { key, copy } = share(from, to, USAGE_DERIVE, USAGE_DERIVE);
    const info = bytes("coseflow/1 receipt");
    const sealer = from.crypto.deriveKey(key, info, USAGE_ENCRYPT);
    const sealed = from.crypto.aeadEncrypt(sealer, nonce, aad, bytes("receipt"));
    const reader = to.crypto.deriveKey(copy, info, USAGE_DECRYPT);
    expect(to.crypto.aeadDecrypt(reader, nonce, aad, sealed)).toBe("receipt");
    const other = to.crypto.deriveKey(copy, bytes("coseflow/1 receipu"), USAGE_DECRYPT);
    expect(codeOf(() => to.crypto.aeadDecrypt(other, nonce, aad, sealed))).toBe("decrypt");
    for (const bit of [0, sealed.length * 8 - 1])
      expect(codeOf(() => to.crypto.aeadDecrypt(reader, nonce, aad, flipBit(sealed, bit)))).toBe(
        "decrypt",
      );
  });
}

describeBoth("device and cloud", (open) => {
  const directory = useDirectories();
  const openModule = useModules(open);
  let device: End & { crypto: OpenDeviceCrypto };
  let cloud: End & { crypto: NodeCrypto };

  beforeEach(() => {
    const crypto = openModule(directory());
    device = { crypto, key: crypto.openDeviceKey() };
    const door = createNodeCrypto();
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const der = pair.privateKey.export({ type: "pkcs8", format: "der" });
    cloud = { crypto: door, key: door.importPrivateKey(der, USAGE_SIGN | USAGE_DERIVE) };
  });

  describe("device makes, cloud opens", () =>
    makeAndOpen(
      () => device,
      () => cloud,
    ));
  describe("cloud makes, device opens", () =>
    makeAndOpen(
      () => cloud,
      () => device,
    ));

  it("seals readings under its own numbers; the cloud opens them with Base IV XOR number", () => {
    const usage = USAGE_ENCRYPT_SEQUENCE;
    const { key, copy } = share(device, cloud, usage, USAGE_DECRYPT);
    const baseIv = Buffer.from(device.crypto.exportBaseIv(key), "latin1");
    for (let i = 0; i < 300; i++) {
      const number = device.crypto.reserveSequence(key);
      const sealed = device.crypto.aeadEncryptSequence(key, number, aad, bytes("reading"));
      const used = Buffer.from(baseIv);
      used[10] = (used[10] as number) ^ (number >> 8);
      used[11] = (used[11] as number) ^ (number & 0xff);
      const iv = used.toString("latin1") as Bytes;
      expect(cloud.crypto.aeadDecrypt(copy, iv, aad, sealed)).toBe("reading");
      expect(codeOf(() => cloud.crypto.aeadDecrypt(copy, iv, aad, flipBit(sealed, i % 8)))).toBe(
        "decrypt",
      );
    }
  });

  it("agrees with an independent RFC 5869 over a secret the test knows", () => {
    const secret = Buffer.alloc(16, 7);
    const cek = share(cloud, device, USAGE_ENCRYPT, USAGE_DECRYPT);
    const sent = cloud.crypto.aeadEncrypt(cek.key, nonce, aad, secret.toString("latin1") as Bytes);
    const opened = device.crypto.aeadDecryptKey(cek.copy, nonce, aad, sent, 0, USAGE_DERIVE);
    const derived = device.crypto.deriveKey(opened.key, context, USAGE_CARRIED | USAGE_ENCRYPT);
    const prk = createHmac("sha256", Buffer.alloc(32)).update(secret).digest();
    const block = createHmac("sha256", prk).update(`${context}\x01`, "latin1").digest();
    const expected = block.subarray(0, 16).toString("latin1") as Bytes;
    const known = cloud.crypto.aeadEncrypt(cek.key, bytes("another 12 b"), aad, expected);
    const twin = device.crypto.aeadDecryptKey(
      cek.copy,
      bytes("another 12 b"),
      aad,
      known,
      0,
      USAGE_DECRYPT,
    );
    const sealed = device.crypto.aeadEncrypt(derived, nonce, aad, bytes("text"));
    expect(device.crypto.aeadDecrypt(twin.key, nonce, aad, sealed)).toBe("text");
  });
});
