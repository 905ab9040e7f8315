import { beforeAll, describe, expect, it } from "vitest";
import { fromPem, isIssuedBy, readCertificate, toPem } from "../../../cloud/ca/certificate.ts";
import type { Issuer } from "../../../cloud/ca/issue.ts";
import { ROOT_SIGNED } from "../../../cloud/ca/profile.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { fromBinary, toBinary } from "../../support/cbor-oracle.ts";
import {
  basicConstraints,
  extension,
  keyUsage,
  leafWith,
  OTHER_ROLE,
  ROLE,
  roles,
  sequence,
} from "../../support/certificates.ts";
import { codeOf, flipBit } from "../crypto/support.ts";
import { makeRoot, makeUnder, NOW } from "../support/authority.ts";

let root: Issuer;
let cloud: Issuer;

beforeAll(async () => {
  root = await makeRoot();
  cloud = await makeUnder(root, "cloud");
});

const refusalOf = (der: Bytes) => codeOf(() => readCertificate(der));
const withExtensions = (...extensions: Buffer[]) => fromBinary(leafWith({ extensions }));

describe("readCertificate", () => {
  it.each(ROOT_SIGNED)("reads what was issued for %s", async (role) => {
    const { certificate } = await makeUnder(root, role);
    expect(readCertificate(certificate.der)).toEqual(certificate);
    const name = role === "issuing" ? /^CN=cf ca [0-9a-f]{6}$/ : new RegExp(`^CN=cf ${role}$`);
    expect(certificate).toMatchObject({ role, notBefore: NOW });
    expect(certificate.subject).toMatch(name);
    expect(fromPem(toPem(certificate))).toEqual(certificate);
  });

  it("refuses every cut, bytes after it, and other encodings", () => {
    const { der } = cloud.certificate;
    for (let length = 0; length < der.length; length++)
      expect(refusalOf(der.substring(0, length) as Bytes)).toBe("form");
    expect(refusalOf(`${der}\x00` as Bytes)).toBe("form");
    expect(refusalOf(toPem(cloud.certificate) as Bytes)).toBe("form");
    expect(refusalOf(toBinary(der).toString("base64") as Bytes)).toBe("form");
    const pem = toPem(cloud.certificate);
    for (const text of ["", "text", pem + pem]) expect(codeOf(() => fromPem(text))).toBe("form");
  });

  it("refuses flipped bytes, by themselves or for the signature", () => {
    const { der } = cloud.certificate;
    for (let at = 0; at < der.length; at += 3) {
      const bit = at * 8 + (at % 8);
      const flipped = flipBit(der, bit);
      const code = refusalOf(flipped);
      expect(code, `bit ${bit}`).toMatch(/^(?:none|form|profile)$/);
      if (code === "none")
        expect(isIssuedBy(readCertificate(flipped), root.certificate), `bit ${bit}`).toBe(false);
    }
  });

  it("refuses extensions that are not a role's, byte for byte", () => {
    const [basic, usage] = [basicConstraints(), keyUsage("0308")];
    expect(readCertificate(withExtensions(basic, usage, roles(ROLE))).role).toBe("cloud");
    const optional = extension("5501", false, sequence());
    expect(readCertificate(withExtensions(basic, usage, roles(ROLE), optional)).role).toBe("cloud");
    const noIdentifier = extension("551d0e", false, sequence());
    expect(refusalOf(withExtensions(basic, usage, roles(ROLE), noIdentifier))).toBe("form");
    const wrong = [
      [basic, usage],
      [basic, roles(ROLE)],
      [usage, roles(ROLE)],
      [basic, keyUsage("0780"), roles(ROLE)],
      [basic, keyUsage("0388"), roles(ROLE)],
      [basic, keyUsage("0308", false), roles(ROLE)],
      [basic, usage, roles(OTHER_ROLE)],
      [basic, usage, roles(ROLE, ROLE)],
      [basic, usage, roles(ROLE), extension("551d1e", true, sequence())],
    ];
    for (const extensions of wrong)
      expect(refusalOf(withExtensions(...extensions))).toBe("profile");
  });
});

describe("isIssuedBy", () => {
  it("wants name and signature of the issuer", async () => {
    const other = await makeRoot();
    expect(isIssuedBy(cloud.certificate, root.certificate)).toBe(true);
    expect(isIssuedBy(root.certificate, root.certificate)).toBe(true);
    expect(isIssuedBy(cloud.certificate, other.certificate)).toBe(false);
    const issuing = await makeUnder(root, "issuing");
    expect(isIssuedBy(cloud.certificate, issuing.certificate)).toBe(false);
    const flipped = toBinary(cloud.certificate.der);
    flipped[flipped.length - 1] = (flipped.at(-1) as number) ^ 1;
    expect(isIssuedBy(readCertificate(fromBinary(flipped)), root.certificate)).toBe(false);
  });
});
