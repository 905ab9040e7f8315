import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import type { KeyHandle } from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import { fromBuffer, toBuffer } from "../crypto/convert.ts";
import type { NodeCrypto } from "../crypto/node-crypto.ts";
import { type Certificate, readCertificate } from "./certificate.ts";
import { type CertificateRole, PROFILES, type RootSignedRole, roleExtensions } from "./profile.ts";
import { readRequest } from "./request.ts";
import { spkiOfPoint } from "./spki.ts";

const DAY = 24 * 3600;
/** 70 of their bits are random; CAs of browsers use at least 64. RFC 5280 allows 20 bytes. */
const SERIAL_BYTES = 9;

/** Enough to tell a few CAs apart; each is a byte more in every device's certificate. */
const ISSUING_DIGITS = 6;

/** A certificate and the key that signs for it. */
export interface Issuer {
  certificate: Certificate;
  key: KeyHandle;
}

interface Content {
  role: CertificateRole;
  subject: string;
  issuer: string;
  publicKey: Bytes;
  notBefore: number;
  notAfter: number;
}

/** Positive and without a leading zero byte, as DER wants an integer. */
function serialNumber(crypto: NodeCrypto): string {
  const serial = toBuffer(crypto.generateRandom(SERIAL_BYTES), "serial number");
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40;
  return serial.toString("hex");
}

/** A hash that OpenSSL and the like find a CA by. Leaves go without: they have one issuer, the anchor. */
function keyIdentifier(crypto: NodeCrypto, publicKey: Bytes): string {
  return toHex(crypto.hashCompute(publicKey)).slice(0, 40);
}

function extensionsOf(crypto: NodeCrypto, role: CertificateRole, publicKey: Bytes) {
  if (PROFILES[role].pathLength === undefined) return roleExtensions(role);
  const identifier = new x509.SubjectKeyIdentifierExtension(keyIdentifier(crypto, publicKey));
  return [...roleExtensions(role), identifier];
}

/**
 * Issuing CAs differ in name, since a leaf names its issuer by nothing else: two of them
 * are in use while one takes over from the other.
 */
function subjectOf(crypto: NodeCrypto, role: CertificateRole, publicKey: Bytes): string {
  const kid = toHex(kidOf(thumbprintOf(crypto, publicKey)));
  if (role === "device") return `CN=${kid}`;
  const { name } = PROFILES[role];
  return role === "issuing" ? `CN=${name} ${kid.slice(0, ISSUING_DIGITS)}` : `CN=${name}`;
}

/** What the library takes for WebCrypto and its key: it signs by a handle, so no key leaves. */
function signerOf(crypto: NodeCrypto, key: KeyHandle) {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const sign = async (_algorithm: unknown, _key: unknown, tbs: ArrayBuffer) =>
    toBuffer(crypto.signMessage(key, fromBuffer(Buffer.from(tbs))), "signature");
  return {
    signingKey: { algorithm } as unknown as webcrypto.CryptoKey,
    provider: { subtle: { sign } } as unknown as webcrypto.Crypto,
  };
}

async function make(
  crypto: NodeCrypto,
  signingKey: KeyHandle,
  content: Content,
  more: x509.Extension[] = [],
): Promise<Certificate> {
  const { role, publicKey } = content;
  const signer = signerOf(crypto, signingKey);
  const made = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(crypto),
      issuer: content.issuer,
      subject: content.subject,
      notBefore: new Date(content.notBefore * 1000),
      notAfter: new Date(content.notAfter * 1000),
      publicKey: spkiOfPoint(publicKey),
      signingKey: signer.signingKey,
      extensions: [...extensionsOf(crypto, role, publicKey), ...more],
    },
    signer.provider,
  );
  return readCertificate(fromBuffer(Buffer.from(made.rawData)));
}

/** The anchor: signed by its own key, valid from now. */
export function issueRoot(crypto: NodeCrypto, key: KeyHandle, now: number): Promise<Certificate> {
  const publicKey = crypto.exportPublicKey(key);
  const subject = subjectOf(crypto, "root", publicKey);
  const dates = { notBefore: now, notAfter: now + PROFILES.root.days * DAY };
  return make(crypto, key, { role: "root", subject, issuer: subject, publicKey, ...dates });
}

function checkIssuer(issuer: Issuer, role: "root" | "issuing", now: number): void {
  const { certificate } = issuer;
  if (certificate.role !== role)
    fail("argument", `issuer, expected the ${role} certificate, got one of ${certificate.role}`);
  if (now > certificate.notAfter)
    fail("profile", `issuer, expected a valid ${role} certificate, got one that has expired`);
}

/** A certificate right below the root. `now` is its notBefore, in Unix seconds. */
export async function issueRole(
  crypto: NodeCrypto,
  root: Issuer,
  role: RootSignedRole,
  publicKey: Bytes,
  now: number,
): Promise<Certificate> {
  checkIssuer(root, "root", now);
  const notAfter = Math.min(now + PROFILES[role].days * DAY, root.certificate.notAfter);
  const subject = subjectOf(crypto, role, publicKey);
  const content = { role, subject, issuer: root.certificate.subject, publicKey, notBefore: now };
  const isCa = role === "issuing";
  const above = isCa
    ? [new x509.AuthorityKeyIdentifierExtension(keyIdentifier(crypto, root.certificate.publicKey))]
    : [];
  return make(crypto, root.key, { ...content, notAfter }, above);
}

/**
 * A device's certificate from its request, under the issuing CA. The name is the key id,
 * whatever the request says. Fails as readRequest does.
 */
export async function issueDevice(
  crypto: NodeCrypto,
  issuing: Issuer,
  request: Bytes,
  now: number,
): Promise<Certificate> {
  checkIssuer(issuing, "issuing", now);
  const publicKey = readRequest(request);
  const subject = subjectOf(crypto, "device", publicKey);
  const { subject: issuer, notAfter } = issuing.certificate;
  const dates = { notBefore: now, notAfter };
  return make(crypto, issuing.key, { role: "device", subject, issuer, publicKey, ...dates });
}
