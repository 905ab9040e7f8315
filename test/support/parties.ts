/** A device, a cloud and key pairs whose private part a test can reach. */
import { createCipheriv, createECDH, createPrivateKey, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeCrypto, type NodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { type KeyHandle, USAGE_DERIVE, USAGE_SIGN } from "../../protocol/cose/crypto.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import { type OpenDeviceCrypto, openStandIn } from "../../simulator/devcrypto/stand-in.ts";
import { fromBinary } from "./cbor-oracle.ts";

export const nodeCrypto: NodeCrypto = createNodeCrypto();

/** A key pair by its public side, and as a handle of `nodeCrypto`. */
export interface Party {
  key: KeyHandle;
  publicKey: Bytes;
  thumbprint: Bytes;
  kid: Bytes;
  /** For structures that no door makes. */
  privateKey: KeyObject;
}

/** A P-256 pair, random or of the 32-byte scalar given. */
export function makeParty(scalar?: Buffer): Party {
  const pair = createECDH("prime256v1");
  if (scalar === undefined) pair.generateKeys();
  else pair.setPrivateKey(scalar);
  const point = pair.getPublicKey();
  const d = Buffer.alloc(32);
  pair.getPrivateKey().copy(d, 32 - pair.getPrivateKey().length);
  const privateKey = createPrivateKey({
    key: {
      kty: "EC",
      crv: "P-256",
      d: d.toString("base64url"),
      x: point.subarray(1, 33).toString("base64url"),
      y: point.subarray(33).toString("base64url"),
    },
    format: "jwk",
  });
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  const key = nodeCrypto.importPrivateKey(der, USAGE_SIGN | USAGE_DERIVE);
  const publicKey = fromBinary(point);
  const thumbprint = thumbprintOf(nodeCrypto, publicKey);
  return { key, publicKey, thumbprint, kid: kidOf(thumbprint), privateKey };
}

/**
 * A content key of bytes that the test knows. The door has no such function, but it
 * opens keys at rest, and those a test can seal.
 */
export function importContentKey(secret: Buffer, usage: number): KeyHandle {
  const kek = Buffer.alloc(32, 1);
  const nonce = Buffer.alloc(12);
  const cipher = createCipheriv("aes-256-gcm", kek, nonce);
  const sealed = Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
  const handle = nodeCrypto.importKek(fromBinary(kek));
  return nodeCrypto.openKey(fromBinary(sealed), handle, "" as Bytes, usage);
}

export interface TestDevice {
  crypto: OpenDeviceCrypto;
  key: KeyHandle;
  publicKey: Bytes;
  thumbprint: Bytes;
  kid: Bytes;
  close(): void;
}

/** A device with a key and counter of its own in a directory that goes when it closes. */
export function openDevice(): TestDevice {
  const directory = mkdtempSync(join(tmpdir(), "coseflow-device-"));
  const crypto = openStandIn(directory);
  const key = crypto.openDeviceKey();
  const publicKey = crypto.exportPublicKey(key);
  const thumbprint = thumbprintOf(crypto, publicKey);
  return {
    crypto,
    key,
    publicKey,
    thumbprint,
    kid: kidOf(thumbprint),
    close() {
      crypto.close();
      rmSync(directory, { recursive: true });
    },
  };
}
