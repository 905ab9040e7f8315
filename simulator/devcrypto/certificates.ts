import { fromBuffer, toBuffer } from "../../cloud/crypto/convert.ts";
import type { NodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { type DeviceCertificates, USAGE_SIGN } from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import { type Rules, verifyLeaf } from "./certificate.ts";
import { bounded, boundedCount, ROLE_LIMIT } from "./limits.ts";
import type { Slots } from "./slots.ts";

/** The end of the year 9999, the last that a certificate can name. */
const TIME_LIMIT = 253_402_300_799;

/** CertificationRequestInfo up to the point: version 0, an empty subject, a P-256 key. */
const INFO_HEAD = Buffer.from(
  "306202010030003059301306072a8648ce3d020106082a8648ce3d030107034200",
  "hex",
);
const NO_ATTRIBUTES = Buffer.from("a000", "hex");
const ECDSA_WITH_SHA256 = Buffer.from("300a06082a8648ce3d040302", "hex");

export function createCertificates(crypto: NodeCrypto, slots: Slots): DeviceCertificates {
  return {
    writeCsr(handle) {
      const { key } = slots.get(handle, USAGE_SIGN);
      const point = toBuffer(crypto.exportPublicKey(key), "public key");
      const info = Buffer.concat([INFO_HEAD, point, NO_ATTRIBUTES]);
      const signature = toBuffer(crypto.signMessage(key, fromBuffer(info)), "signature");
      const bits = element(0x03, Buffer.concat([Buffer.alloc(1), derSignature(signature)]));
      return fromBuffer(element(0x30, Buffer.concat([info, ECDSA_WITH_SHA256, bits])));
    },

    verifyCertificate(leaf, anchor, role, keyUsage, issuedNotBefore, timeFloor) {
      const inputs = [
        toBuffer(bounded(leaf, "certificate"), "certificate"),
        toBuffer(bounded(anchor, "anchor"), "anchor"),
      ] as const;
      const rules: Rules = {
        role: toBuffer(bounded(role, "role", ROLE_LIMIT), "role"),
        keyUsage,
        issuedNotBefore: boundedCount(issuedNotBefore, "issued not before", TIME_LIMIT),
        timeFloor: boundedCount(timeFloor, "time floor", TIME_LIMIT),
      };
      if (rules.role.length === 0) fail("argument", "role, expected an identifier, got none");
      const isOneBit = [1, 2, 4, 8, 16, 32, 64, 128].includes(keyUsage);
      if (!isOneBit) fail("argument", `key usage, expected one bit, got ${String(keyUsage)}`);
      return verifyLeaf(...inputs, rules, (publicKey, message, signature) =>
        crypto.verifyMessage(fromBuffer(publicKey), fromBuffer(message), fromBuffer(signature)),
      );
    },
  };
}

/** Contents of at most 255 bytes. */
function element(tag: number, contents: Buffer): Buffer {
  const length = contents.length < 0x80 ? [contents.length] : [0x81, contents.length];
  return Buffer.concat([Buffer.from([tag, ...length]), contents]);
}

function derSignature(signature: Buffer): Buffer {
  const integers = [signature.subarray(0, 32), signature.subarray(32)].map(derInteger);
  return element(0x30, Buffer.concat(integers));
}

function derInteger(scalar: Buffer): Buffer {
  const first = scalar.findIndex((byte) => byte !== 0);
  const short = scalar.subarray(first < 0 ? scalar.length - 1 : first);
  const sign = (short[0] as number) >= 0x80 ? [0] : [];
  return element(0x02, Buffer.concat([Buffer.from(sign), short]));
}
