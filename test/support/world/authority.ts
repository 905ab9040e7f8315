/** One root's word for a cloud with a registrar, and a provisioner, for worlds in virtual time. */
import { issueRole, issueRoot } from "../../../cloud/ca/issue.ts";
import type { RootSignedRole } from "../../../cloud/ca/profile.ts";
import type { RegistrarKeys } from "../../../cloud/keys/cloud-keys.ts";
import type { Provisioning } from "../../../firmware/config.ts";
import { makeParty, nodeCrypto } from "../parties.ts";

/** `now` in Unix seconds. */
export async function makeWorldAuthority(now: number) {
  const root = makeParty();
  const anchor = await issueRoot(nodeCrypto, root.key, now);
  const issuer = { certificate: anchor, key: root.key };
  /** Of that age, a new key each time. */
  async function credential(role: RootSignedRole, notBefore = now) {
    const { privateKey: _, ...holder } = makeParty();
    const certificate = await issueRole(nodeCrypto, issuer, role, holder.publicKey, notBefore);
    return { ...holder, certificate };
  }
  const cloud = await credential("cloud");
  const registrar: RegistrarKeys = {
    registrar: await credential("registrar"),
    issuing: await credential("issuing"),
    // What was issued is in the database too, and nothing of it is revoked here.
    index: {
      add() {},
      revoke: () => {
        throw new Error("index, expected no revocation");
      },
      list: () => ({ issued: [], damaged: 0 }),
    },
  };
  const trust: Provisioning = {
    anchor: anchor.der,
    cloudCertificate: cloud.certificate.der,
    buildTime: now,
    enrolment: undefined,
  };
  return { trust, cloud, registrar, credential, provisioner: await credential("provisioner") };
}

/** Without a registrar nobody gets a certificate. */
export type WorldAuthority = Omit<Awaited<ReturnType<typeof makeWorldAuthority>>, "registrar"> & {
  registrar?: RegistrarKeys;
};
