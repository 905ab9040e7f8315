import "reflect-metadata";
import { X509Certificate as NodeCertificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { Bytes } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";
import { fromBuffer, toBuffer } from "../crypto/convert.ts";
import { type CertificateRole, PROFILES, roleExtensions } from "./profile.ts";
import { pointOfSpki } from "./spki.ts";

/** A certificate of the profile, read. */
export interface Certificate {
  role: CertificateRole;
  der: Bytes;
  /** Hexadecimal, as OpenSSL prints it in lower case. */
  serial: string;
  subject: string;
  /** P-256, uncompressed, 65 bytes. */
  publicKey: Bytes;
  /** Unix seconds. */
  notBefore: number;
  notAfter: number;
}

const hexOf = (extension: x509.Extension) => Buffer.from(extension.rawData).toString("hex");
const setOf = (extensions: x509.Extension[]) => extensions.map(hexOf).sort().join();

/** The role of a set of critical extensions. */
const ROLES: ReadonlyMap<string, CertificateRole> = new Map(
  (Object.keys(PROFILES) as CertificateRole[]).map((role) => [setOf(roleExtensions(role)), role]),
);

interface Parsed {
  serial: string;
  subject: string;
  spki: Buffer;
  /** The critical extensions, as setOf makes it of a role's. */
  critical: string;
  notBefore: number;
  notAfter: number;
}

/** Every field is read here: the library reads when it is asked, and throws errors of its own. */
function parse(der: Bytes): Parsed {
  try {
    const raw = toBuffer(der, "certificate");
    // Read twice: OpenSSL takes DER alone, where the library would take PEM or base64 too.
    if (!new NodeCertificate(raw).raw.equals(raw)) throw new Error();
    const certificate = new x509.X509Certificate(raw);
    return {
      serial: certificate.serialNumber,
      subject: certificate.subject,
      spki: Buffer.from(certificate.publicKey.rawData),
      critical: setOf(certificate.extensions.filter(({ critical }) => critical)),
      notBefore: certificate.notBefore.getTime() / 1000,
      notAfter: certificate.notAfter.getTime() / 1000,
    };
  } catch {
    return fail("form", "certificate, expected one in DER, got something else");
  }
}

/**
 * Reads a certificate in DER and finds its role; "form" when it is none, "profile" when its
 * critical extensions are not those of a role. The signature is for isIssuedBy to judge.
 */
export function readCertificate(der: Bytes): Certificate {
  const { serial, subject, spki, critical, notBefore, notAfter } = parse(der);
  const role = ROLES.get(critical);
  if (role === undefined)
    return fail("profile", "certificate, expected the extensions of one role, got others");
  return { role, der, serial, subject, publicKey: pointOfSpki(spki), notBefore, notAfter };
}

/** True when the issuer's name and signature are on the certificate. Dates are not judged. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  const [subject, above] = [certificate, issuer].map(
    ({ der }) => new NodeCertificate(toBuffer(der, "certificate")),
  ) as [NodeCertificate, NodeCertificate];
  return subject.checkIssued(above) && subject.verify(above.publicKey);
}

export function toPem(certificate: Certificate): string {
  const raw = toBuffer(certificate.der, "certificate");
  return `${x509.PemConverter.encode(raw, "CERTIFICATE")}\n`;
}

/** The certificate of a PEM file that holds one and nothing else. */
export function fromPem(pem: string): Certificate {
  const blocks = x509.PemConverter.isPem(pem) ? x509.PemConverter.decode(pem) : [];
  const [block] = blocks;
  if (block === undefined || blocks.length !== 1)
    return fail("form", `certificate, expected one in PEM, got ${blocks.length}`);
  return readCertificate(fromBuffer(Buffer.from(block)));
}
