import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { CLOUD_ROLE } from "./roles.ts";

const P256_SIGNER = { name: "ECDSA", namedCurve: "P-256" };
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };
const DAY_MS = 24 * 3600 * 1000;
const ROOT_DAYS = 3650;
const CLOUD_DAYS = 730;
/** RFC 5280 section 4.1.2.2 allows 20 bytes; CAs of browsers use at least 8 random ones. */
const SERIAL_BYTES = 16;

/** A key pair and its certificate, both PEM. */
export interface Credential {
  privateKey: string;
  certificate: string;
}

export interface Authority {
  root: Credential;
  cloud: Credential;
}

type KeyPair = webcrypto.CryptoKeyPair;

function generate(): Promise<KeyPair> {
  return webcrypto.subtle.generateKey(P256_SIGNER, true, ["sign", "verify"]);
}

/** Positive and without a leading zero byte, as DER wants an integer. */
function serialNumber(): string {
  const serial = randomBytes(SERIAL_BYTES);
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  return serial.toString("hex");
}

function validity(days: number): { notBefore: Date; notAfter: Date } {
  const now = Math.floor(Date.now() / 1000) * 1000;
  return { notBefore: new Date(now), notAfter: new Date(now + days * DAY_MS) };
}

async function privatePem(keys: KeyPair): Promise<string> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const pem = x509.PemConverter.encode(pkcs8, "PRIVATE KEY");
  pkcs8.fill(0);
  return `${pem}\n`;
}

async function makeRoot(keys: KeyPair): Promise<x509.X509Certificate> {
  return x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: "CN=coseflow development root",
    ...validity(ROOT_DAYS),
    keys,
    signingAlgorithm: SIGNATURE,
    extensions: [
      // One issuing CA may stand below the root; nothing may stand below that.
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
}

async function makeCloud(
  root: x509.X509Certificate,
  rootKeys: KeyPair,
  keys: KeyPair,
): Promise<x509.X509Certificate> {
  return x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    issuer: root.subject,
    subject: "CN=coseflow cloud",
    ...validity(CLOUD_DAYS),
    publicKey: keys.publicKey,
    signingKey: rootKeys.privateKey,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyAgreement, true),
      new x509.ExtendedKeyUsageExtension([CLOUD_ROLE], true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(rootKeys.publicKey),
    ],
  });
}

async function credential(keys: KeyPair, certificate: x509.X509Certificate): Promise<Credential> {
  return { privateKey: await privatePem(keys), certificate: `${certificate.toString("pem")}\n` };
}

/** A development root and a cloud certificate under it, with fresh P-256 keys. */
export async function makeAuthority(): Promise<Authority> {
  const [rootKeys, cloudKeys] = [await generate(), await generate()];
  const root = await makeRoot(rootKeys);
  const cloud = await makeCloud(root, rootKeys, cloudKeys);
  return { root: await credential(rootKeys, root), cloud: await credential(cloudKeys, cloud) };
}
