import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hkdf, unwrapKey, wrapKey } from "../../cloud/crypto/primitives.ts";
import { type Bytes, fromHex, toHex } from "../../protocol/bytes.ts";
import { USAGE_DECRYPT, USAGE_DERIVE, USAGE_ENCRYPT } from "../../protocol/cose/crypto.ts";
import { loadDevcrypto } from "../../simulator/devcrypto/load.ts";
import { openStandIn } from "../../simulator/devcrypto/stand-in.ts";
import { codeOf } from "../cloud/crypto/support.ts";
import { type Door, deviceDoor, inject, type OpenDoor, openCloudDoor, wrapUnder } from "./doors.ts";
import {
  type AeadGroup,
  type AgreementGroup,
  type HkdfGroup,
  hasVectors,
  type KeyWrapGroup,
  notice,
  readGroups,
  type SignatureGroup,
} from "./wycheproof.ts";

const native = loadDevcrypto();
const doors: [string, OpenDoor, boolean][] = [
  ["cloud", openCloudDoor, true],
  ["stand-in", deviceDoor(openStandIn), true],
  [
    native.kind === "native" ? "C module" : `C module (skipped: ${native.reason})`,
    deviceDoor(native.open),
    native.kind === "native",
  ],
];

const nonce = "12 byte IV.." as Bytes;
const empty = "" as Bytes;

function toBytes(hex: string): Bytes {
  return fromHex(hex) ?? expect.unreachable(`not hexadecimal: ${hex}`);
}

function toBuffer(hex: string): Buffer {
  return Buffer.from(hex, "hex");
}

/** The cases that came out otherwise than the file says; "acceptable" is anything. */
function mismatches<T extends { tcId: number; result: string }>(
  cases: T[],
  isValid: (one: T) => boolean,
): number[] {
  const judged = cases.filter(({ result }) => result !== "acceptable");
  expect(judged.length).toBeGreaterThan(0);
  return judged.filter((one) => isValid(one) !== (one.result === "valid")).map(({ tcId }) => tcId);
}

for (const [name, open, isBuilt] of doors)
  describe.skipIf(!hasVectors || !isBuilt)(`Wycheproof${notice}: ${name}`, () => {
    let door: Door;
    beforeAll(() => {
      door = open();
    });
    afterAll(() => door?.close());

    it("verifies ES256 signatures", () => {
      const file = "ecdsa_secp256r1_sha256_p1363_test.json";
      const cases = readGroups<SignatureGroup>(file).flatMap(({ publicKey, tests }) =>
        tests.map((test) => ({ ...test, point: toBytes(publicKey.uncompressed) })),
      );
      expect(cases).toHaveLength(262);
      const verify = ({ point, msg, sig }: (typeof cases)[number]) => {
        const [message, signature] = [toBytes(msg), toBytes(sig)];
        if (signature.length === 64) return door.crypto.verifyMessage(point, message, signature);
        const code = codeOf(() => door.crypto.verifyMessage(point, message, signature));
        expect(code).toBe("argument");
        return false;
      };
      expect(mismatches(cases, verify)).toEqual([]);
    });

    it("agrees on keys by ECDH, and refuses what is no point", () => {
      const file = "ecdh_secp256r1_ecpoint_test.json";
      const cases = readGroups<AgreementGroup>(file).flatMap(({ tests }) => tests);
      expect(cases).toHaveLength(355);
      const agree = (one: (typeof cases)[number]) => {
        const secret = toBuffer(one.private.padStart(64, "0")).subarray(-32);
        const own = open(secret);
        const aesKey = Buffer.alloc(16, one.tcId);
        const { context, wrapped } = wrapUnder(toBuffer(one.shared), aesKey);
        const unwrap = () =>
          own.crypto.keyAgreementUnwrap(own.key, toBytes(one.public), context, wrapped, 8);
        const code = codeOf(unwrap);
        own.close();
        expect(["none", "argument"]).toContain(code);
        return code === "none";
      };
      expect(mismatches(cases, agree)).toEqual([]);
    });

    it("encrypts and decrypts with A128GCM", () => {
      const cases = readGroups<AeadGroup>("aes_gcm_test.json")
        .filter((group) => group.keySize === 128 && group.ivSize === 96 && group.tagSize === 128)
        .flatMap(({ tests }) => tests);
      expect(cases).toHaveLength(67);
      const run = (one: (typeof cases)[number]) => {
        const key = inject(door, toBuffer(one.key), USAGE_ENCRYPT | USAGE_DECRYPT);
        const [iv, aad, sealed] = [toBytes(one.iv), toBytes(one.aad), toBytes(one.ct + one.tag)];
        const code = codeOf(() => door.crypto.aeadDecrypt(key, iv, aad, sealed));
        const made = door.crypto.aeadEncrypt(key, iv, aad, toBytes(one.msg));
        if (code === "none") {
          expect(toHex(door.crypto.aeadDecrypt(key, iv, aad, sealed))).toBe(one.msg);
          expect(made).toBe(sealed);
        } else expect([code, made === sealed]).toEqual(["decrypt", false]);
        door.crypto.destroyKey(key);
        return code === "none";
      };
      expect(mismatches(cases, run)).toEqual([]);
    });

    it("derives keys by HKDF from secrets of 16 bytes", () => {
      const cases = readHkdf().filter(({ ikm }) => ikm.length === 32);
      const derive = (one: (typeof cases)[number]) => {
        const secret = inject(door, toBuffer(one.ikm), USAGE_DERIVE);
        const derived = door.crypto.deriveKey(secret, toBytes(one.info), USAGE_ENCRYPT);
        const expected = inject(door, toBuffer(one.okm).subarray(0, 16), USAGE_DECRYPT);
        const sealed = door.crypto.aeadEncrypt(derived, nonce, empty, empty);
        const code = codeOf(() => door.crypto.aeadDecrypt(expected, nonce, empty, sealed));
        for (const key of [secret, derived, expected]) door.crypto.destroyKey(key);
        return code === "none";
      };
      expect(mismatches(cases, derive)).toEqual([]);
    });
  });

/** The cases that the profile can express: empty salt, at least 16 bytes out. */
function readHkdf() {
  return readGroups<HkdfGroup>("hkdf_sha256_test.json")
    .flatMap(({ tests }) => tests)
    .filter(({ salt, size, result }) => salt === "" && size >= 16 && result === "valid");
}

describe.skipIf(!hasVectors)(`Wycheproof${notice}: primitives of the cloud`, () => {
  it("wraps and unwraps keys with A128KW", () => {
    const cases = readGroups<KeyWrapGroup>("aes_wrap_test.json")
      .filter(({ keySize }) => keySize === 128)
      .flatMap(({ tests }) => tests)
      // Keys of another size than 16 bytes are not of the profile, however well wrapped.
      .map((one) => (one.msg.length === 32 ? one : { ...one, result: "invalid" }));
    expect(cases).toHaveLength(42);
    const run = (one: (typeof cases)[number]) => {
      const [kek, wrapped] = [toBuffer(one.key), toBuffer(one.ct)];
      const code = codeOf(() => unwrapKey(kek, wrapped));
      expect(["none", "decrypt"]).toContain(code);
      if (code === "decrypt") return false;
      expect(unwrapKey(kek, wrapped).toString("hex")).toBe(one.msg);
      expect(wrapKey(kek, toBuffer(one.msg)).toString("hex")).toBe(one.ct);
      return true;
    };
    expect(mismatches(cases, run)).toEqual([]);
  });

  it("derives the first 16 bytes of HKDF-SHA-256 with an empty salt", () => {
    const derive = ({ ikm, info, okm }: ReturnType<typeof readHkdf>[number]) =>
      hkdf(toBuffer(ikm), toBuffer(info)).equals(toBuffer(okm).subarray(0, 16));
    expect(mismatches(readHkdf(), derive)).toEqual([]);
  });
});
