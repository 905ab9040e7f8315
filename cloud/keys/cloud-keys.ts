import { randomBytes, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bytes } from "../../protocol/bytes.ts";
import { type KeyHandle, USAGE_DERIVE } from "../../protocol/cose/crypto.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import { fromBuffer } from "../crypto/convert.ts";
import type { NodeCrypto } from "../crypto/node-crypto.ts";
import { makeAuthority } from "./certificates.ts";
import {
  checkPrivateDirectory,
  createPrivateFile,
  makePrivateDirectory,
  readPrivateFile,
} from "./private-file.ts";

/** The files of a key directory. The root's key may be kept elsewhere: serving needs it not. */
export const KEY_FILES = {
  rootKey: "root.key.pem",
  rootCertificate: "root.cert.pem",
  cloudKey: "cloud.key.pem",
  cloudCertificate: "cloud.cert.pem",
  /** The key-encryption key: 32 bytes under which session keys rest in the database. */
  kek: "kek.bin",
} as const;

const KEK_SIZE = 32;

/** The cloud's keys, open. */
export interface CloudKeys {
  /** The private key, for key agreement alone. */
  key: KeyHandle;
  /** Uncompressed P-256 point, 65 bytes. */
  publicKey: Bytes;
  thumbprint: Bytes;
  kid: Bytes;
  kek: KeyHandle;
}

/** Makes every file of a key directory; throws, and changes nothing, when one is there. */
export async function initKeys(directory: string): Promise<void> {
  makePrivateDirectory(directory);
  for (const name of Object.values(KEY_FILES)) {
    const path = join(directory, name);
    if (existsSync(path))
      throw new Error(`${path}, expected no file, got one: keys are never replaced`);
  }
  const { root, cloud } = await makeAuthority();
  createPrivateFile(directory, KEY_FILES.rootKey, root.privateKey);
  createPrivateFile(directory, KEY_FILES.rootCertificate, root.certificate);
  createPrivateFile(directory, KEY_FILES.kek, randomBytes(KEK_SIZE));
  createPrivateFile(directory, KEY_FILES.cloudCertificate, cloud.certificate);
  createPrivateFile(directory, KEY_FILES.cloudKey, cloud.privateKey);
}

/** Throws when the certificate is not the root's word for this very key. */
function checkCertificate(directory: string, publicKey: Bytes): void {
  const read = (name: string) => new X509Certificate(readFileSync(join(directory, name)));
  const certificate = read(KEY_FILES.cloudCertificate);
  const spki = certificate.publicKey.export({ type: "spki", format: "der" });
  if (!fromBuffer(spki).endsWith(publicKey))
    throw new Error(`${KEY_FILES.cloudCertificate}, expected one for ${KEY_FILES.cloudKey}`);
  if (!certificate.verify(read(KEY_FILES.rootCertificate).publicKey))
    throw new Error(`${KEY_FILES.cloudCertificate}, expected one signed by the root, got another`);
}

function checkMade(directory: string): void {
  const path = join(directory, KEY_FILES.cloudCertificate);
  if (!existsSync(path))
    throw new Error(
      `${path}, expected the cloud's keys, got none: make them with "coseflow keys init"`,
    );
}

/** Opens the keys of a directory; throws when others than the owner may read them. */
export function loadKeys(crypto: NodeCrypto, directory: string): CloudKeys {
  checkMade(directory);
  checkPrivateDirectory(directory);
  const pem = readPrivateFile(join(directory, KEY_FILES.cloudKey));
  const key = crypto.importPrivateKey(pem.toString("utf8"), USAGE_DERIVE);
  pem.fill(0);
  const secret = readPrivateFile(join(directory, KEY_FILES.kek));
  const kek = crypto.importKek(fromBuffer(secret));
  secret.fill(0);
  const publicKey = crypto.exportPublicKey(key);
  checkCertificate(directory, publicKey);
  const thumbprint = thumbprintOf(crypto, publicKey);
  return { key, publicKey, thumbprint, kid: kidOf(thumbprint), kek };
}

/** The cloud's public key, read from its certificate: devices are given it. */
export function readCloudPublicKey(directory: string): Bytes {
  checkMade(directory);
  const pem = readFileSync(join(directory, KEY_FILES.cloudCertificate));
  const { x, y } = new X509Certificate(pem).publicKey.export({ format: "jwk" });
  const coordinate = (text: unknown) => Buffer.from(text as string, "base64url");
  return fromBuffer(Buffer.concat([Buffer.of(4), coordinate(x), coordinate(y)]));
}
