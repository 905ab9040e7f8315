import { beforeAll, describe, expect, it } from "vitest";
import { type Certificate, readCertificate } from "../../../cloud/ca/certificate.ts";
import { type Issuer, issueDevice } from "../../../cloud/ca/issue.ts";
import { PROFILES } from "../../../cloud/ca/profile.ts";
import {
  type CertificateCause,
  KEY_USAGE_DIGITAL_SIGNATURE,
  KEY_USAGE_KEY_AGREEMENT,
} from "../../../protocol/cose/crypto.ts";
import { makeRoot, makeUnder } from "../../cloud/support/authority.ts";
import { ecRequest } from "../../cloud/support/requests.ts";
import { fromBinary, toBinary } from "../../support/cbor-oracle.ts";
import {
  basicConstraints,
  keyUsage,
  leafWith,
  makeKeys,
  name,
  oidContents,
  roles,
} from "../../support/certificates.ts";
import { nodeCrypto } from "../../support/parties.ts";
import { type Check, outcome, verify } from "./certificate-check.ts";
import { describeBoth, useDirectories, useModules } from "./implementations.ts";

/** What a device asks of a leaf, and what a leaf may hold. */
const ASKED = ["cloud", "registrar", "provisioner"] as const;
const HELD = [...ASKED, "device"] as const;
type Role = (typeof HELD)[number];

const NOW = Math.floor(Date.now() / 1000);
const oidOf = (role: Role) => oidContents(PROFILES[role].extendedKeyUsage as string);
const usageOf = (role: Role) =>
  role === "cloud" ? KEY_USAGE_KEY_AGREEMENT : KEY_USAGE_DIGITAL_SIGNATURE;
const askFor = (role: Role): Check => ({ role: oidOf(role), usage: usageOf(role) });

const PAIRS = HELD.flatMap((held) => ASKED.map((asked) => [held, asked] as const)).filter(
  ([held, asked]) => held !== asked,
);
/** The key usage is looked at before the role. */
const causeOf = (held: Role, asked: Role): CertificateCause =>
  usageOf(held) === usageOf(asked) ? "role" : "key-usage";

/** A leaf of the root with the role of one and the key usage of another. */
function mixed(held: Role, usage: Role): Buffer {
  const bits = usageOf(usage) === KEY_USAGE_KEY_AGREEMENT ? "0308" : "0780";
  return leafWith({ extensions: [basicConstraints(), keyUsage(bits), roles(oidOf(held))] });
}

describeBoth("roles", (open) => {
  const makeDirectory = useDirectories();
  const openModule = useModules(open);
  let root: Issuer;
  let issuing: Issuer;
  let device: Certificate;
  let leaves: Record<(typeof ASKED)[number], Certificate>;

  beforeAll(async () => {
    root = await makeRoot(NOW);
    issuing = await makeUnder(root, "issuing", NOW);
    device = await issueDevice(nodeCrypto, issuing, ecRequest().der, NOW);
    const leaf = async (role: (typeof ASKED)[number]) =>
      (await makeUnder(root, role, NOW)).certificate;
    leaves = {
      cloud: await leaf("cloud"),
      registrar: await leaf("registrar"),
      provisioner: await leaf("provisioner"),
    };
  });

  const der = (certificate: Certificate) => toBinary(certificate.der);
  const below = (issuer: Issuer, leaf: Certificate, asked: Role): Check => ({
    ...askFor(asked),
    leaf: der(leaf),
    anchor: der(issuer.certificate),
    timeFloor: NOW,
  });

  it.each(ASKED)("accepts the %s certificate that is issued for it", (role) => {
    const crypto = openModule(makeDirectory());
    const { publicKey, notBefore, notAfter } = leaves[role];
    const check = below(root, leaves[role], role);
    expect(verify(crypto, check)).toEqual({ publicKey, notBefore, notAfter });
    expect(outcome(crypto, { ...check, issuedNotBefore: notBefore })).toBe("accepted");
    expect(outcome(crypto, { ...check, issuedNotBefore: notBefore + 1 })).toBe("too-old");
    expect(outcome(crypto, { ...check, timeFloor: notAfter + 1 })).toBe("expired");
  });

  it.each(PAIRS)("refuses %s that poses as %s", (held, asked) => {
    const crypto = openModule(makeDirectory());
    if (held !== "device")
      expect(outcome(crypto, below(root, leaves[held], asked))).toBe(causeOf(held, asked));
    expect(outcome(crypto, { ...askFor(asked), leaf: mixed(held, held) })).toBe(
      causeOf(held, asked),
    );
    // With the key usage that is asked for, the role alone is wrong, and the other way round.
    expect(outcome(crypto, { ...askFor(asked), leaf: mixed(held, asked) })).toBe("role");
    if (usageOf(held) !== usageOf(asked))
      expect(outcome(crypto, { ...askFor(asked), leaf: mixed(asked, held) })).toBe("key-usage");
  });

  it("refuses a device's certificate under the root, whatever it is asked to be", () => {
    const crypto = openModule(makeDirectory());
    for (const asked of HELD) expect(outcome(crypto, below(root, device, asked))).toBe("issuer");
    for (const asked of ASKED)
      expect(outcome(crypto, below(issuing, device, asked))).toBe(causeOf("device", asked));
    expect(outcome(crypto, below(issuing, device, "device"))).toBe("accepted");
  });

  it("refuses what an issuing CA signs in the name of the root, and the CA itself", () => {
    const crypto = openModule(makeDirectory());
    const keys = makeKeys();
    for (const asked of ASKED) {
      const extensions = [
        basicConstraints(),
        keyUsage(asked === "cloud" ? "0308" : "0780"),
        roles(oidOf(asked)),
      ];
      const between = leafWith({ extensions, signer: keys.privateKey, issuer: name("test ca") });
      expect(outcome(crypto, { ...askFor(asked), leaf: between })).toBe("issuer");
      const posing = leafWith({ extensions, signer: keys.privateKey });
      expect(outcome(crypto, { ...askFor(asked), leaf: posing })).toBe("signature");
      expect(outcome(crypto, below(root, issuing.certificate, asked))).toBe("ca");
      expect(outcome(crypto, below(root, root.certificate, asked))).toBe("self-issued");
    }
  });

  it("refuses every leaf under another root of the same name", async () => {
    const crypto = openModule(makeDirectory());
    const other = await makeRoot(NOW);
    for (const role of ASKED)
      expect(outcome(crypto, below(other, leaves[role], role))).toBe("signature");
  });
});

describe("the cloud", () => {
  it("reads the same roles in the same certificates", () => {
    for (const role of HELD) expect(readCertificate(fromBinary(mixed(role, role))).role).toBe(role);
  });
});
