import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type CertificateCause, USAGE_DERIVE, USAGE_SIGN } from "../../../protocol/cose/crypto.ts";
import { codeOf } from "../../cloud/crypto/support.ts";
import {
  ANCHOR,
  LEAF_POINT,
  NOT_AFTER,
  NOT_BEFORE,
  seconds,
  time,
} from "../../support/certificates.ts";
import { ACCEPTED, REFUSED, validity } from "./certificate-cases.ts";
import { binary, type Check, LEAF, outcome, verify } from "./certificate-check.ts";
import { describeBoth, native, useDirectories, useModules } from "./implementations.ts";

describeBoth("certificates", (open) => {
  const makeDirectory = useDirectories();
  const openModule = useModules(open);

  it("accepts a leaf right below the anchor, and gives key and dates", () => {
    expect(verify(openModule(makeDirectory()), {})).toEqual({
      publicKey: LEAF_POINT,
      notBefore: seconds(NOT_BEFORE),
      notAfter: seconds(NOT_AFTER),
    });
  });

  it.each(REFUSED)("%s: refuses %s", (cause, _what, check) => {
    expect(outcome(openModule(makeDirectory()), check)).toBe(cause);
  });

  it("has a bad certificate for every cause", () => {
    const causes: Record<CertificateCause, true> = {
      anchor: true,
      encoding: true,
      version: true,
      algorithm: true,
      issuer: true,
      validity: true,
      expired: true,
      "too-old": true,
      "public-key": true,
      "self-issued": true,
      "duplicate-extension": true,
      "critical-extension": true,
      ca: true,
      "key-usage-absent": true,
      "key-usage": true,
      "role-absent": true,
      "role-not-critical": true,
      role: true,
      signature: true,
    };
    expect(new Set(REFUSED.map(([cause]) => cause))).toEqual(new Set(Object.keys(causes)));
  });

  it.each(ACCEPTED)("accepts %s", (_what, check) => {
    expect(outcome(openModule(makeDirectory()), check)).toBe("accepted");
  });

  it("reads every date as Date does", () => {
    const crypto = openModule(makeDirectory());
    const dates = [
      "1970-01-01T00:00:00Z",
      "1999-12-31T23:59:59Z",
      "2000-02-29T12:34:56Z",
      "2049-12-31T23:59:59Z",
    ];
    for (const from of dates)
      for (const to of [
        "2049-12-31T23:59:59Z",
        "2050-01-01T00:00:00Z",
        "2100-03-01T00:00:00Z",
        "2400-02-29T23:00:00Z",
      ]) {
        const { notBefore, notAfter } = verify(crypto, validity(time(from), time(to)));
        expect([notBefore, notAfter]).toEqual([seconds(from), seconds(to)]);
      }
  });

  it("refuses every cut and every flipped byte", () => {
    const crypto = openModule(makeDirectory());
    for (let length = 0; length < LEAF.length; length++)
      expect(outcome(crypto, { leaf: LEAF.subarray(0, length) })).toBe("encoding");
    for (let at = 0; at < LEAF.length; at++) {
      const flipped = Buffer.from(LEAF);
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
      expect(outcome(crypto, { leaf: flipped })).not.toMatch(/accepted|not a certificate/);
    }
  });

  it("takes arguments of the right kind only", () => {
    const crypto = openModule(makeDirectory());
    const wrong: Check[] = [
      { role: Buffer.alloc(0) },
      { role: Buffer.alloc(33, 1) },
      ...[0, 3, 256, -1, 0.5, Number.NaN].map((usage) => ({ usage })),
      ...[-1, 0.5, 253_402_300_800, Number.NaN].flatMap((moment) => [
        { timeFloor: moment },
        { issuedNotBefore: moment },
      ]),
      { leaf: Buffer.alloc(4161) },
      { anchor: Buffer.alloc(4161) },
    ];
    for (const check of wrong) expect(codeOf(() => verify(crypto, check))).toBe("argument");
  });

  it("agrees with OpenSSL on the certificates of these tests", () => {
    const directory = makeDirectory();
    const pem = (certificate: Buffer) => new X509Certificate(certificate).toString();
    const files = [join(directory, "anchor.pem"), join(directory, "leaf.pem")] as const;
    writeFileSync(files[0], pem(ANCHOR));
    writeFileSync(files[1], pem(LEAF));
    const args = ["verify", "-CAfile", ...files];
    expect(execFileSync("openssl", args, { encoding: "utf8" })).toContain("OK");
  });

  it("writes a request that OpenSSL verifies", () => {
    const directory = makeDirectory();
    const crypto = openModule(join(directory, "store"));
    const file = join(directory, "request.der");
    for (const key of [crypto.openDeviceKey(), crypto.generateKeyPair(USAGE_SIGN)]) {
      const request = crypto.writeCsr(key);
      expect(request.length).toBeLessThanOrEqual(190);
      writeFileSync(file, request, "latin1");
      const args = ["req", "-inform", "DER", "-in", file, "-verify", "-noout", "-pubkey"];
      const spki = execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });
      const point = Buffer.from(spki.replace(/-----.*-----/g, ""), "base64").subarray(-65);
      expect(binary(point)).toBe(crypto.exportPublicKey(key));
    }
  });

  it("writes a request for a key that signs only", () => {
    const crypto = openModule(makeDirectory());
    const deriver = crypto.generateKeyPair(USAGE_DERIVE);
    expect(codeOf(() => crypto.writeCsr(deriver))).toBe("key");
    crypto.destroyKey(deriver);
    expect(codeOf(() => crypto.writeCsr(deriver))).toBe("key");
  });

  it.skipIf(native.kind !== "native")(
    "gives the cause that the C module gives, for every flip",
    () => {
      const [crypto, other] = [openModule(makeDirectory()), native.open(makeDirectory())];
      for (let at = 0; at < LEAF.length; at++)
        for (const bit of [0, 3, 7]) {
          const flipped = Buffer.from(LEAF);
          flipped[at] = (flipped[at] as number) ^ (1 << bit);
          const causes = [crypto, other].map((module) => outcome(module, { leaf: flipped }));
          expect(causes[0], `byte ${at}, bit ${bit}`).toBe(causes[1]);
        }
      other.close();
    },
  );
});
