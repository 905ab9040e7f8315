/** Finds and judges the certificate of who signs for devices: the registrar, or the provisioner. */
import { type Certificate, readCertificate } from "../../cloud/ca/certificate.ts";
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import type { DownwardSign1 } from "../../protocol/downward.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import type { SignerRole } from "./authority.ts";
import type { Evidence } from "./evidence.ts";
import { attempt, fails, holds, type Layer, lacks } from "./layers.ts";
import { timeText } from "./names.ts";

/** The layers "key id" and "certificate", and the key where one is known. */
export interface SignerSearch {
  layers: Layer[];
  publicKey?: Bytes;
}

function certificateText({ subject, role, notBefore, notAfter }: Certificate, from: string) {
  return `${subject}, ${role}, valid ${timeText(notBefore)} to ${timeText(notAfter)}, ${from}`;
}

function judgeCertificate(
  { authority, now }: Evidence,
  role: SignerRole,
  certificate: Certificate,
  from: string,
): Layer {
  const shown = certificateText(certificate, from);
  const refused = (expected: string) =>
    fails("certificate", "certificate", `certificate, expected ${expected}, got ${shown}`);
  if (certificate.role !== role) return refused(`one of ${role}`);
  if (authority === undefined)
    return lacks("certificate", `${shown}; needs the root's certificate (--keys)`);
  if (!authority.isRoots(certificate)) return refused("one signed by the root of --keys");
  if (authority.isRevoked(certificate)) return refused("one that is not revoked");
  if (certificate.notAfter < now())
    return lacks("certificate", `${shown}; expired: a device that knows the time refuses it`);
  return holds("certificate", shown);
}

/** The signer by the certificate that rode along, or else by the one of --keys that has its key id. */
export function findSigner(
  evidence: Evidence,
  role: SignerRole,
  { kid, leaf }: DownwardSign1,
): SignerSearch {
  const keyId = holds("key id", `${toHex(kid)}, which signs as ${role}`);
  if (leaf === undefined) {
    const kept = evidence.authority?.findSigner(role, kid);
    const missing = `needs the ${role}'s certificate, which is not in the message nor found by --keys`;
    if (kept === undefined) return { layers: [keyId, lacks("certificate", missing)] };
    const layer = judgeCertificate(evidence, role, kept, "from --keys");
    return { layers: [keyId, layer], publicKey: kept.publicKey };
  }
  const read = attempt("certificate", () => readCertificate(leaf));
  if ("failed" in read) return { layers: [keyId, read.failed] };
  const { publicKey } = read.value;
  const layer = judgeCertificate(evidence, role, read.value, "in the message");
  const own = kidOf(thumbprintOf(evidence.crypto, publicKey));
  if (own === kid) return { layers: [keyId, layer], publicKey };
  const text = `key id of Sign1, expected its certificate's ${toHex(own)}, got ${toHex(kid)}`;
  return { layers: [fails("key id", "kid", text), layer] };
}
