import "reflect-metadata";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
} from "@peculiar/x509";
import { USAGE_DERIVE, USAGE_SIGN } from "../../protocol/cose/crypto.ts";
import { CLOUD_ROLE, DEVICE_ROLE, PROVISIONER_ROLE, REGISTRAR_ROLE } from "../keys/roles.ts";

/** Every kind of certificate there is (SPEC.md, "Certificates"). */
export type CertificateRole = "root" | "issuing" | "cloud" | "registrar" | "provisioner" | "device";

/** Those that the root signs. Their keys are made here, in files of their own. */
export const ROOT_SIGNED = ["cloud", "registrar", "provisioner", "issuing"] as const;
export type RootSignedRole = (typeof ROOT_SIGNED)[number];

export interface Profile {
  /**
   * Common name: short, as leaves travel in messages of at most 1,024 bytes. A device's is
   * its key id; an issuing CA's ends in the first digits of its key id (issue.ts).
   */
  readonly name: string;
  /** Days from notBefore, at most to the end of the issuer's certificate. */
  readonly days: number;
  /** The one bit. */
  readonly keyUsage: KeyUsageFlags;
  /** How many CAs may stand below; undefined: none of them is a CA. */
  readonly pathLength: number | undefined;
  /** The one object identifier of a leaf's extended key usage. */
  readonly extendedKeyUsage: string | undefined;
  /** What the holder's key does here, as flags of its handle. */
  readonly handleUsage: number;
}

const leaf = (name: string, days: number, role: string) => ({
  name,
  days,
  pathLength: undefined,
  extendedKeyUsage: role,
});
const signer = { keyUsage: KeyUsageFlags.digitalSignature, handleUsage: USAGE_SIGN };
const authority = {
  keyUsage: KeyUsageFlags.keyCertSign,
  handleUsage: USAGE_SIGN,
  extendedKeyUsage: undefined,
};

/** The root outlives the devices that hold it; a leaf is renewed each year, with a year of overlap. */
const ROOT_DAYS = 7300;
const ISSUING_DAYS = 3650;
const LEAF_DAYS = 730;

export const PROFILES: Readonly<Record<CertificateRole, Profile>> = {
  root: { name: "cf root", days: ROOT_DAYS, pathLength: 1, ...authority },
  issuing: { name: "cf ca", days: ISSUING_DAYS, pathLength: 0, ...authority },
  cloud: {
    ...leaf("cf cloud", LEAF_DAYS, CLOUD_ROLE),
    keyUsage: KeyUsageFlags.keyAgreement,
    handleUsage: USAGE_DERIVE,
  },
  registrar: { ...leaf("cf registrar", LEAF_DAYS, REGISTRAR_ROLE), ...signer },
  provisioner: { ...leaf("cf provisioner", LEAF_DAYS, PROVISIONER_ROLE), ...signer },
  // The certificate stands for the device's signature. The cloud seals to the key it has
  // seen signing, from its registry, so agreement needs no bit; and one bit is the rule.
  device: { ...leaf("", ISSUING_DAYS, DEVICE_ROLE), ...signer },
};

/** The extensions that make the role, all of them critical. A role has them byte for byte. */
export function roleExtensions(role: CertificateRole): Extension[] {
  const { keyUsage, pathLength, extendedKeyUsage } = PROFILES[role];
  const extensions: Extension[] = [
    new BasicConstraintsExtension(pathLength !== undefined, pathLength, true),
    new KeyUsagesExtension(keyUsage, true),
  ];
  if (extendedKeyUsage !== undefined)
    extensions.push(new ExtendedKeyUsageExtension([extendedKeyUsage], true));
  return extensions;
}
