import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Certificate, isIssuedBy, toPem } from "../../../cloud/ca/certificate.ts";
import { type Issuer, issueDevice, issueRole } from "../../../cloud/ca/issue.ts";
import { PROFILES, ROOT_SIGNED } from "../../../cloud/ca/profile.ts";
import { toHex } from "../../../protocol/bytes.ts";
import { kidOf, thumbprintOf } from "../../../protocol/kid.ts";
import { nodeCrypto } from "../../support/parties.ts";
import { codeOfAsync } from "../crypto/support.ts";
import { makeKey, makeRoot, makeUnder, NOW } from "../support/authority.ts";
import { ecRequest } from "../support/requests.ts";
import { temporaryDirectories } from "../support/temporary.ts";

const DAY = 24 * 3600;
/** Two of them and the rest fit into a message of 1,024 bytes to a device. */
const LEAF_LIMIT = 384;
const LEAVES = ["cloud", "registrar", "provisioner"] as const;

const temporary = temporaryDirectories();
let root: Issuer;
let issuing: Issuer;

beforeAll(async () => {
  root = await makeRoot();
  issuing = await makeUnder(root, "issuing");
});

function save(certificate: Certificate): string {
  const path = join(temporary(), `${certificate.role}.pem`);
  writeFileSync(path, toPem(certificate));
  return path;
}

const openssl = (...args: string[]) => execFileSync("openssl", args, { encoding: "utf8" });
const textOf = (certificate: Certificate) =>
  openssl("x509", "-in", save(certificate), "-noout", "-text");
const AT = ["-attime", String(NOW + 1)];

describe("a certificate below the root", () => {
  it.each(ROOT_SIGNED)("of %s is one that OpenSSL verifies", async (role) => {
    const { certificate } = await makeUnder(root, role);
    // -x509_strict wants an authority key identifier, which leaves go without.
    const strict = role === "issuing" ? ["-x509_strict"] : [];
    expect(
      openssl("verify", ...strict, ...AT, "-CAfile", save(root.certificate), save(certificate)),
    ).toMatch(/: OK/);
    expect(isIssuedBy(certificate, root.certificate)).toBe(true);
    const text = textOf(certificate);
    expect(text).toContain("ecdsa-with-SHA256");
    expect(text).toContain("NIST CURVE: P-256");
    expect(text).toContain("Issuer: CN = cf root");
  });

  it.each([
    ["cloud", "Key Agreement"],
    ["registrar", "Digital Signature"],
    ["provisioner", "Digital Signature"],
  ] as const)("of %s allows exactly its role and %s", async (role, usage) => {
    const text = textOf((await makeUnder(root, role)).certificate);
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:FALSE\n/);
    expect(text).toMatch(new RegExp(`X509v3 Key Usage: critical\\s+${usage}\\n`));
    const id = String(PROFILES[role].extendedKeyUsage).replaceAll(".", "\\.");
    expect(text).toMatch(new RegExp(`X509v3 Extended Key Usage: critical\\s+${id}\\n`));
    expect(text.match(/X509v3/g)).toHaveLength(4); // with the heading
  });

  it("of the issuing CA allows no CA below it", async () => {
    const text = textOf(issuing.certificate);
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:0\n/);
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Certificate Sign\n/);
    expect(textOf(root.certificate)).toMatch(/CA:TRUE, pathlen:1\n/);
  });

  it("is short", async () => {
    // A signature varies by a few bytes, so several are made.
    for (const role of LEAVES)
      for (let i = 0; i < 8; i++) {
        const { der } = (await makeUnder(root, role)).certificate;
        expect(der.length, role).toBeLessThanOrEqual(LEAF_LIMIT);
      }
  });

  it("is valid for two years from now, and never longer than the root", async () => {
    const { notBefore, notAfter } = (await makeUnder(root, "cloud")).certificate;
    expect([notBefore, notAfter]).toEqual([NOW, NOW + 730 * DAY]);
    const late = root.certificate.notAfter - 10 * DAY;
    expect((await makeUnder(root, "cloud", late)).certificate.notAfter).toBe(
      root.certificate.notAfter,
    );
    const publicKey = nodeCrypto.exportPublicKey(makeKey());
    const after = root.certificate.notAfter + 1;
    expect(await codeOfAsync(() => issueRole(nodeCrypto, root, "cloud", publicKey, after))).toBe(
      "profile",
    );
  });

  it("has a serial number of its own, of more than 64 bits", async () => {
    const made = await Promise.all(Array.from({ length: 50 }, () => makeUnder(root, "registrar")));
    const serials = made.map(({ certificate }) => certificate.serial);
    expect(new Set(serials).size).toBe(50);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9a-f]{17}$/);
  });

  it("is made by the root alone", async () => {
    const publicKey = nodeCrypto.exportPublicKey(makeKey());
    const cloud = await makeUnder(root, "cloud");
    for (const issuer of [issuing, cloud, { ...root, certificate: issuing.certificate }])
      expect(
        await codeOfAsync(() => issueRole(nodeCrypto, issuer, "registrar", publicKey, NOW)),
      ).toBe("argument");
  });
});

describe("a device's certificate", () => {
  it("is verified by OpenSSL through the issuing CA", async () => {
    const certificate = await issueDevice(nodeCrypto, issuing, ecRequest().der, NOW);
    const chain = ["-CAfile", save(root.certificate), "-untrusted", save(issuing.certificate)];
    expect(openssl("verify", ...AT, ...chain, save(certificate))).toMatch(/: OK/);
    expect(isIssuedBy(certificate, issuing.certificate)).toBe(true);
    expect(isIssuedBy(certificate, root.certificate)).toBe(false);
    const text = textOf(certificate);
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Digital Signature\n/);
    expect(text).toContain(PROFILES.device.extendedKeyUsage);
    expect(certificate.der.length).toBeLessThanOrEqual(LEAF_LIMIT);
  });

  it("names the key id, whatever the request names", async () => {
    const { der, publicKey } = ecRequest("/CN=cf root/O=somebody else");
    const certificate = await issueDevice(nodeCrypto, issuing, der, NOW);
    expect(certificate.publicKey).toBe(publicKey);
    const kid = toHex(kidOf(thumbprintOf(nodeCrypto, publicKey)));
    expect(certificate.subject).toBe(`CN=${kid}`);
    expect(certificate.role).toBe("device");
  });

  it("is valid as long as the issuing CA", async () => {
    const certificate = await issueDevice(nodeCrypto, issuing, ecRequest().der, NOW + DAY);
    expect(certificate.notBefore).toBe(NOW + DAY);
    expect(certificate.notAfter).toBe(issuing.certificate.notAfter);
  });

  it("is found through its own issuing CA, beside a newer one", async () => {
    const newer = await makeUnder(root, "issuing", NOW + DAY);
    const both = join(temporary(), "both.pem");
    writeFileSync(both, toPem(newer.certificate) + toPem(issuing.certificate));
    const chain = ["-CAfile", save(root.certificate), "-untrusted", both];
    const at = ["-attime", String(NOW + 2 * DAY)];
    for (const issuer of [issuing, newer]) {
      const device = await issueDevice(nodeCrypto, issuer, ecRequest().der, NOW + DAY);
      expect(openssl("verify", ...at, ...chain, save(device))).toMatch(/: OK/);
    }
  });

  it("is not made by the root", async () => {
    const { der } = ecRequest();
    expect(await codeOfAsync(() => issueDevice(nodeCrypto, root, der, NOW))).toBe("argument");
  });
});
