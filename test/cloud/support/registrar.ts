import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Issuer } from "../../../cloud/ca/issue.ts";
import { openIssuedIndex } from "../../../cloud/ca/issued.ts";
import type { RootSignedRole } from "../../../cloud/ca/profile.ts";
import type { RegistrarKeys } from "../../../cloud/keys/cloud-keys.ts";
import { kidOf, thumbprintOf } from "../../../protocol/kid.ts";
import { nodeCrypto } from "../../support/parties.ts";
import { makeRoot, makeUnder, NOW } from "./authority.ts";

export interface TestRegistrar extends RegistrarKeys {
  root: Issuer;
  /** The file of the index. */
  indexPath: string;
}

/** The registrar's keys under a root of their own, valid from the test cloud's start. */
export async function makeRegistrar(directory: string, now = NOW): Promise<TestRegistrar> {
  const root = await makeRoot(now);
  async function credential(role: RootSignedRole) {
    const { certificate, key } = await makeUnder(root, role, now);
    const { publicKey } = certificate;
    const thumbprint = thumbprintOf(nodeCrypto, publicKey);
    return { certificate, key, publicKey, thumbprint, kid: kidOf(thumbprint) };
  }
  const indexPath = join(directory, "issued.jsonl");
  writeFileSync(indexPath, "", { mode: 0o600 });
  const index = openIssuedIndex(indexPath);
  const registrar = await credential("registrar");
  const issuing = await credential("issuing");
  index.add(registrar.certificate);
  index.add(issuing.certificate);
  return { registrar, issuing, index, root, indexPath };
}
