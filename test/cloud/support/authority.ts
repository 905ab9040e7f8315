/** A root and an issuing CA of the profile, without files. */
import { generateKeyPairSync } from "node:crypto";
import { type Issuer, issueRole, issueRoot } from "../../../cloud/ca/issue.ts";
import { PROFILES, type RootSignedRole } from "../../../cloud/ca/profile.ts";
import { type KeyHandle, USAGE_SIGN } from "../../../protocol/cose/crypto.ts";
import { nodeCrypto } from "../../support/parties.ts";

export const NOW = 1_800_000_000;

export function makeKey(usage: number = USAGE_SIGN): KeyHandle {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  return nodeCrypto.importPrivateKey(der, usage);
}

export async function makeRoot(now = NOW): Promise<Issuer> {
  const key = makeKey();
  return { key, certificate: await issueRoot(nodeCrypto, key, now) };
}

/** A certificate right below the root, with the key of its holder. */
export async function makeUnder(root: Issuer, role: RootSignedRole, now = NOW): Promise<Issuer> {
  const key = makeKey(PROFILES[role].handleUsage);
  const publicKey = nodeCrypto.exportPublicKey(key);
  return { key, certificate: await issueRole(nodeCrypto, root, role, publicKey, now) };
}
