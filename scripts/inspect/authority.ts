import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Certificate, fromPem, isIssuedBy } from "../../cloud/ca/certificate.ts";
import type { NodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { openIndex } from "../../cloud/keys/cloud-keys.ts";
import { readRoot } from "../../cloud/keys/credentials.ts";
import { credentialFiles, credentialNumbers } from "../../cloud/keys/key-directory.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";

/** Those that sign for devices. */
export type SignerRole = "registrar" | "provisioner";

/** What a key directory knows of certificates. No private key is opened for it. */
export interface KnownAuthority {
  isRoots(certificate: Certificate): boolean;
  isRevoked(certificate: Certificate): boolean;
  /** Expired and revoked ones too: a message may be older than today. */
  findSigner(role: SignerRole, kid: Bytes): Certificate | undefined;
}

function certificatesOf(directory: string, role: SignerRole): Certificate[] {
  return credentialNumbers(directory, role)
    .map((number) => join(directory, credentialFiles(role, number).certificate))
    .filter((path) => existsSync(path))
    .map((path) => fromPem(readFileSync(path, "utf8")));
}

export function openAuthority(crypto: NodeCrypto, directory: string): KnownAuthority {
  const root = readRoot(directory);
  const { issued } = openIndex(directory).list();
  const revoked = new Set(
    issued.filter(({ revokedAt }) => revokedAt !== undefined).map(({ serial }) => serial),
  );
  const signers = (["registrar", "provisioner"] as const).flatMap((role) =>
    certificatesOf(directory, role),
  );
  return {
    isRoots: (certificate) => isIssuedBy(certificate, root),
    isRevoked: ({ serial }) => revoked.has(serial),
    findSigner: (role, kid) =>
      signers.find(
        (one) => one.role === role && kidOf(thumbprintOf(crypto, one.publicKey)) === kid,
      ),
  };
}
