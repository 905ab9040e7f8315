import { existsSync } from "node:fs";
import { join } from "node:path";
import type { NodeCrypto } from "../crypto/node-crypto.ts";
import { readRoot } from "../keys/credentials.ts";
import { checkMade, credentialFiles, credentialNumbers, KEY_FILES } from "../keys/key-directory.ts";
import { isEncrypted, makeKeyPem, openKeyPem } from "../keys/key-pem.ts";
import { checkPrivateDirectory, createPrivateFile, readPrivateFile } from "../keys/private-file.ts";
import { type Certificate, toPem } from "./certificate.ts";
import { type Issuer, issueRole, issueRoot } from "./issue.ts";
import { type IssuedIndex, openIssuedIndex } from "./issued.ts";
import { PROFILES, type RootSignedRole } from "./profile.ts";

/** Where the root's key is, and what opens it. */
export interface RootKeyPlace {
  /** The file, where it is not in the key directory. */
  path?: string | undefined;
  passphrase?: string | undefined;
}

/** The keys that people use are under the root's passphrase; a service has nobody to ask. */
const HELD_BY_PEOPLE: readonly RootSignedRole[] = ["provisioner"];

function rootKeyPath(directory: string, path: string | undefined): string {
  checkMade(directory);
  const place = path ?? join(directory, KEY_FILES.rootKey);
  if (!existsSync(place))
    throw new Error(
      `root key, expected at ${place}, got no file: say where it is kept with --root-key`,
    );
  return place;
}

/** True when the root's key must be opened with a passphrase. */
export function needsPassphrase(directory: string, path: string | undefined): boolean {
  const pem = readPrivateFile(rootKeyPath(directory, path));
  const answer = isEncrypted(pem);
  pem.fill(0);
  return answer;
}

/** The root, ready to sign. */
export function openRoot(crypto: NodeCrypto, directory: string, place: RootKeyPlace): Issuer {
  checkPrivateDirectory(directory);
  const certificate = readRoot(directory);
  const path = rootKeyPath(directory, place.path);
  const usage = PROFILES.root.handleUsage;
  const key = openKeyPem(crypto, readPrivateFile(path), usage, place.passphrase);
  if (crypto.exportPublicKey(key) !== certificate.publicKey)
    throw new Error(`${path}, expected the key of ${KEY_FILES.rootCertificate}, got another`);
  return { certificate, key };
}

/** Makes root key, root certificate and an empty index. */
export async function makeRoot(
  crypto: NodeCrypto,
  directory: string,
  passphrase: string | undefined,
  now: number,
): Promise<Issuer> {
  const pem = makeKeyPem(passphrase);
  const key = openKeyPem(crypto, Buffer.from(pem), PROFILES.root.handleUsage, passphrase);
  const certificate = await issueRoot(crypto, key, now);
  createPrivateFile(directory, KEY_FILES.issued, "");
  openIssuedIndex(join(directory, KEY_FILES.issued)).add(certificate);
  createPrivateFile(directory, KEY_FILES.rootKey, pem);
  createPrivateFile(directory, KEY_FILES.rootCertificate, toPem(certificate));
  return { certificate, key };
}

/**
 * One "issued not before" for a role tells its certificates apart by their notBefore, so
 * no two of a role have the same.
 */
function notBeforeOf(index: IssuedIndex, role: RootSignedRole, now: number): number {
  const before = index.list().issued.filter((entry) => entry.role === role);
  return Math.max(now, ...before.map(({ notBefore }) => notBefore + 1));
}

/**
 * A new key and certificate of a role, in files beside those there are. The index is written
 * before the certificate, so that no power cut leaves one that it does not list.
 */
export async function makeCredential(
  crypto: NodeCrypto,
  directory: string,
  root: Issuer,
  role: RootSignedRole,
  passphrase: string | undefined,
  now: number,
): Promise<Certificate> {
  const index = openIssuedIndex(join(directory, KEY_FILES.issued));
  const pem = makeKeyPem(HELD_BY_PEOPLE.includes(role) ? passphrase : undefined);
  const key = openKeyPem(crypto, Buffer.from(pem), PROFILES[role].handleUsage, passphrase);
  const publicKey = crypto.exportPublicKey(key);
  crypto.destroyKey(key);
  const certificate = await issueRole(crypto, root, role, publicKey, notBeforeOf(index, role, now));
  const files = credentialFiles(role, (credentialNumbers(directory, role).at(-1) ?? 0) + 1);
  createPrivateFile(directory, files.key, pem);
  index.add(certificate);
  createPrivateFile(directory, files.certificate, toPem(certificate));
  return certificate;
}
