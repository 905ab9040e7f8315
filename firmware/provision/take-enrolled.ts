import type { Bytes } from "../../protocol/bytes.ts";
import type { DeviceCrypto, KeyHandle } from "../../protocol/cose/crypto.ts";
import { createEnrolledOpener } from "../../protocol/enrolled-message.ts";
import { REGISTRAR } from "../../protocol/roles.ts";
import type { Provisioning } from "../config.ts";
import type { Log } from "../ports.ts";
import { openTrust } from "../trust.ts";
import { checkOwnCertificate } from "./own-certificate.ts";
import { addSettings } from "./stored-settings.ts";

export interface EnrolledPorts {
  crypto: DeviceCrypto;
  log: Log;
  provisioning: Provisioning;
  /** The limit of all messages with a signature to verify. */
  mayVerify: () => boolean;
}

/**
 * Takes an `enrolled` for this key that answers this request, and keeps all it brings but the
 * certificate, which is the result. undefined where it is passed over. Throws, and has stored
 * nothing, for what is not the registrar's word; "store" when its word could not be kept, and
 * the message has to come again.
 */
export function takeEnrolled(
  ports: EnrolledPorts,
  identity: { key: KeyHandle; thumbprint: Bytes },
  request: Bytes,
  message: Bytes,
): Bytes | undefined {
  const crypto = ports.crypto;
  const log = ports.log;
  const opener = createEnrolledOpener(crypto);
  const sign1 = opener.parse(message);
  if (!ports.mayVerify()) {
    log("enrolled not looked at: too many in a row");
    return undefined;
  }
  const trust = openTrust(crypto, ports.provisioning, log);
  const signer = trust.signer(REGISTRAR, sign1.leaf);
  const enrolled = opener.open(sign1, identity, signer);
  if (enrolled.request !== request) {
    log("enrolled not taken: it answers another request");
    return undefined;
  }
  checkOwnCertificate(enrolled.certificate, crypto.exportPublicKey(identity.key));
  trust.apply(enrolled.settings);
  if (sign1.leaf !== undefined) trust.keep(REGISTRAR, sign1.leaf);
  trust.advance(enrolled.time, true);
  addSettings(crypto, enrolled.settings, log);
  return enrolled.certificate;
}
