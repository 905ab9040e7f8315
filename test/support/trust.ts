import { issueRole, issueRoot } from "../../cloud/ca/issue.ts";
import type { DeviceTrust } from "../../cloud/keys/device-trust.ts";
import type { Provisioning } from "../../firmware/config.ts";
import { type Bytes, fromHex, toHex } from "../../protocol/bytes.ts";
import { makeParty, nodeCrypto } from "./parties.ts";

/** An anchor, and its word for a cloud's key, as the settings of a device hold them. */
export async function makeTrust(
  publicKey: Bytes = makeParty().publicKey,
  now = Math.floor(Date.now() / 1000),
): Promise<DeviceTrust> {
  const { key } = makeParty();
  const certificate = await issueRoot(nodeCrypto, key, now);
  const cloud = await issueRole(nodeCrypto, { certificate, key }, "cloud", publicKey, now);
  return { anchor: toHex(certificate.der), cloudCertificate: toHex(cloud.der) };
}

/** The same as the firmware reads it. */
export const provisioningOf = (trust: DeviceTrust): Provisioning => ({
  anchor: fromHex(trust.anchor) as Bytes,
  cloudCertificate: fromHex(trust.cloudCertificate) as Bytes,
  buildTime: 0,
  enrolment: undefined,
});
