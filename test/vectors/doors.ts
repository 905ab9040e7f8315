import { createCipheriv, createECDH, generateKeyPairSync, hkdfSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import {
  type CoseCrypto,
  type KeyHandle,
  USAGE_DERIVE,
  USAGE_SIGN,
} from "../../protocol/cose/crypto.ts";
import type { Devcrypto } from "../../simulator/devcrypto/load.ts";
import { encodeRecord } from "../../simulator/devcrypto/record.ts";

/** A door to cryptography with a private key of the test's choice behind it. */
export interface Door {
  crypto: CoseCrypto;
  key: KeyHandle;
  close(): void;
}

/** Opens a door with this private key (32 bytes), or with a fresh one. */
export type OpenDoor = (secret?: Buffer) => Door;

const context = bytes("context of the tests");
const SEC1_HEAD = Buffer.from("30310201010420", "hex");
const SEC1_CURVE = Buffer.from("a00a06082a8648ce3d030107", "hex");

/** The cloud's door, the key imported. */
export function openCloudDoor(secret = randomSecret()): Door {
  const crypto = createNodeCrypto();
  const sec1 = Buffer.concat([SEC1_HEAD, secret, SEC1_CURVE]);
  const key = crypto.importPrivateKey(sec1, USAGE_SIGN | USAGE_DERIVE);
  return { crypto, key, close: () => {} };
}

/** A device's door, the key in the records it finds. */
export function deviceDoor(open: Devcrypto["open"]): OpenDoor {
  return (secret = randomSecret()) => {
    const directory = mkdtempSync(join(tmpdir(), "coseflow-vectors-"));
    const pair = createECDH("prime256v1");
    pair.setPrivateKey(secret);
    const record = { counter: 0, secret, publicKey: pair.getPublicKey() };
    for (const [name, sequence] of [
      ["device-a", 1],
      ["device-b", 2],
    ] as const)
      writeFileSync(join(directory, name), encodeRecord({ ...record, sequence }), { mode: 0o600 });
    const crypto = open(directory);
    const close = () => {
      crypto.close();
      rmSync(directory, { recursive: true });
    };
    return { crypto, key: crypto.openDeviceKey(), close };
  };
}

/** What a sender would wrap this AES key to, had it agreed on this shared secret. */
export function wrapUnder(shared: Buffer, aesKey: Buffer): { context: Bytes; wrapped: Bytes } {
  const info = Buffer.from(context, "latin1");
  const kek = Buffer.from(hkdfSync("sha256", shared, Buffer.alloc(0), info, 16));
  const cipher = createCipheriv("id-aes128-wrap", kek, Buffer.alloc(8, 0xa6));
  const wrapped = Buffer.concat([cipher.update(aesKey), cipher.final()]);
  return { context, wrapped: wrapped.toString("latin1") as Bytes };
}

/** An AES key of the test's choice behind the door: wrapped for it. */
export function inject(door: Door, aesKey: Buffer, usage: number): KeyHandle {
  const ephemeral = createECDH("prime256v1");
  const point = ephemeral.generateKeys().toString("latin1") as Bytes;
  const peer = Buffer.from(door.crypto.exportPublicKey(door.key), "latin1");
  const shared = ephemeral.computeSecret(peer);
  const { wrapped } = wrapUnder(shared, aesKey);
  return door.crypto.keyAgreementUnwrap(door.key, point, context, wrapped, usage);
}

function randomSecret(): Buffer {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return Buffer.from(privateKey.export({ format: "jwk" }).d as string, "base64url");
}
