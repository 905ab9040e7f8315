import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Bytes } from "../../protocol/bytes.ts";
import type { KeyHandle } from "../../protocol/cose/crypto.ts";
import { makeCredential, makeRoot } from "../ca/authority.ts";
import { type IssuedIndex, openIssuedIndex } from "../ca/issued.ts";
import { fromBuffer } from "../crypto/convert.ts";
import { createNodeCrypto, type NodeCrypto } from "../crypto/node-crypto.ts";
import { type Credential, openCredential, validCertificates } from "./credentials.ts";
import { checkMade, checkNoKeys, KEY_FILES } from "./key-directory.ts";
import {
  checkPrivateDirectory,
  createPrivateFile,
  makePrivateDirectory,
  readPrivateFile,
} from "./private-file.ts";

const KEK_SIZE = 32;

/** The cloud's newest key, open, and the others that open what was sealed to them. */
export interface OpeningKeys extends Credential {
  /** Newest first. */
  older: Credential[];
}

export interface CloudKeys extends OpeningKeys {
  kek: KeyHandle;
}

/** What the registrar signs with. */
export interface RegistrarKeys {
  /** Signs `enrolled`. */
  registrar: Credential;
  /** Signs devices' certificates. */
  issuing: Credential;
  index: IssuedIndex;
}

const unixNow = () => Math.floor(Date.now() / 1000);

/**
 * Makes a key directory that `serve` runs with; throws, and changes nothing, when there is
 * a file of one. The passphrase is for the keys that people use: the root's and the
 * provisioner's.
 */
export async function initKeys(
  directory: string,
  passphrase?: string,
  now = unixNow(),
): Promise<void> {
  makePrivateDirectory(directory);
  checkNoKeys(directory);
  const crypto = createNodeCrypto();
  const root = await makeRoot(crypto, directory, passphrase, now);
  createPrivateFile(directory, KEY_FILES.kek, randomBytes(KEK_SIZE));
  for (const role of ["issuing", "registrar", "provisioner", "cloud"] as const)
    await makeCredential(crypto, directory, root, role, passphrase, now);
}

export function loadOpeningKeys(
  crypto: NodeCrypto,
  directory: string,
  now = unixNow(),
): OpeningKeys {
  checkMade(directory);
  checkPrivateDirectory(directory);
  const [newest, ...older] = validCertificates(directory, "cloud", now);
  const open = (valid: typeof newest) => openCredential(crypto, directory, "cloud", valid);
  return { ...open(newest), older: older.map(open) };
}

export function loadKek(crypto: NodeCrypto, directory: string): KeyHandle {
  const secret = readPrivateFile(join(directory, KEY_FILES.kek));
  const kek = crypto.importKek(fromBuffer(secret));
  secret.fill(0);
  return kek;
}

/** Opens the keys of the receiver; throws when others than the owner may read them. */
export function loadKeys(crypto: NodeCrypto, directory: string, now = unixNow()): CloudKeys {
  checkMade(directory);
  checkPrivateDirectory(directory);
  const kek = loadKek(crypto, directory);
  return { ...loadOpeningKeys(crypto, directory, now), kek };
}

function openNewest(
  crypto: NodeCrypto,
  directory: string,
  role: "registrar" | "issuing" | "provisioner",
  now: number,
  passphrase?: string,
): Credential {
  checkMade(directory);
  checkPrivateDirectory(directory);
  const [newest] = validCertificates(directory, role, now);
  return openCredential(crypto, directory, role, newest, passphrase);
}

/** The index of everything that was issued from the directory. */
export function openIndex(directory: string): IssuedIndex {
  checkMade(directory);
  return openIssuedIndex(join(directory, KEY_FILES.issued));
}

export function loadRegistrarKeys(
  crypto: NodeCrypto,
  directory: string,
  now = unixNow(),
): RegistrarKeys {
  return {
    registrar: openNewest(crypto, directory, "registrar", now),
    issuing: openNewest(crypto, directory, "issuing", now),
    index: openIndex(directory),
  };
}

/** The key that signs commands: for the operator's command alone, never for a service. */
export function loadProvisionerKey(
  crypto: NodeCrypto,
  directory: string,
  passphrase?: string,
  now = unixNow(),
): Credential {
  return openNewest(crypto, directory, "provisioner", now, passphrase);
}

/** The cloud's public key, read from its newest certificate: devices are given it. */
export function readCloudPublicKey(directory: string, now = unixNow()): Bytes {
  const [newest] = validCertificates(directory, "cloud", now);
  return newest.certificate.publicKey;
}
