import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bytes } from "../../protocol/bytes.ts";
import type { KeyHandle } from "../../protocol/cose/crypto.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import { type Certificate, fromPem, isIssuedBy } from "../ca/certificate.ts";
import { openIssuedIndex, stateOf } from "../ca/issued.ts";
import { type CertificateRole, PROFILES, type RootSignedRole } from "../ca/profile.ts";
import type { NodeCrypto } from "../crypto/node-crypto.ts";
import { checkMade, credentialFiles, credentialNumbers, KEY_FILES } from "./key-directory.ts";
import { openKeyPem } from "./key-pem.ts";
import { readPrivateFile } from "./private-file.ts";

/** A role's key, open, with its certificate. */
export interface Credential {
  certificate: Certificate;
  key: KeyHandle;
  /** Uncompressed P-256 point, 65 bytes. */
  publicKey: Bytes;
  thumbprint: Bytes;
  kid: Bytes;
}

function readCertificateFile(path: string, role: CertificateRole): Certificate {
  const certificate = fromPem(readFileSync(path, "utf8"));
  if (certificate.role !== role)
    throw new Error(`${path}, expected a certificate of ${role}, got one of ${certificate.role}`);
  return certificate;
}

/** The anchor of everything in the directory. */
export function readRoot(directory: string): Certificate {
  checkMade(directory);
  return readCertificateFile(join(directory, KEY_FILES.rootCertificate), "root");
}

interface Numbered {
  number: number;
  certificate: Certificate;
}

/**
 * The certificates of a role that count now, newest first: not expired, not revoked, and
 * the root's word. Throws for one that the root did not sign, and when none is left.
 */
export function validCertificates(
  directory: string,
  role: RootSignedRole,
  now: number,
): [Numbered, ...Numbered[]] {
  const root = readRoot(directory);
  const { issued } = openIssuedIndex(join(directory, KEY_FILES.issued)).list();
  const states = new Map(issued.map((entry) => [entry.serial, stateOf(entry, now)]));
  const [newest, ...older] = credentialNumbers(directory, role)
    .reverse()
    .flatMap((number) => {
      const path = join(directory, credentialFiles(role, number).certificate);
      // A cut while it was made: the key is there, the certificate never was.
      if (!existsSync(path)) return [];
      const certificate = readCertificateFile(path, role);
      if (!isIssuedBy(certificate, root))
        throw new Error(`${path}, expected one signed by the root, got another`);
      const isValid = certificate.notAfter >= now && states.get(certificate.serial) !== "revoked";
      return isValid ? [{ number, certificate }] : [];
    });
  if (newest === undefined)
    throw new Error(
      `${directory}, expected a valid certificate of ${role}, got none: ` +
        `make one with "coseflow ca issue --role ${role}"`,
    );
  return [newest, ...older];
}

/** Opens the key of a certificate; throws when others may read it or it is another's. */
export function openCredential(
  crypto: NodeCrypto,
  directory: string,
  role: RootSignedRole,
  { number, certificate }: Numbered,
  passphrase?: string,
): Credential {
  const files = credentialFiles(role, number);
  const pem = readPrivateFile(join(directory, files.key));
  const key = openKeyPem(crypto, pem, PROFILES[role].handleUsage, passphrase);
  const publicKey = crypto.exportPublicKey(key);
  if (publicKey !== certificate.publicKey)
    throw new Error(`${files.certificate}, expected one for ${files.key}, got another's`);
  const thumbprint = thumbprintOf(crypto, publicKey);
  return { certificate, key, publicKey, thumbprint, kid: kidOf(thumbprint) };
}
