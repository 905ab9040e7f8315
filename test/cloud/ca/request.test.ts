import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readRequest } from "../../../cloud/ca/request.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { openStandIn } from "../../../simulator/devcrypto/stand-in.ts";
import { toBinary } from "../../support/cbor-oracle.ts";
import { codeOf, flipBit } from "../crypto/support.ts";
import { ecRequest, opensslRequest, otherCurveRequest } from "../support/requests.ts";
import { temporaryDirectories } from "../support/temporary.ts";

const temporary = temporaryDirectories();
const refusalOf = (der: Bytes) => codeOf(() => readRequest(der));

describe("readRequest", () => {
  it("gives the key of a request that a device writes, and that OpenSSL verifies", () => {
    const directory = temporary();
    const device = openStandIn(join(directory, "device"));
    const key = device.openDeviceKey();
    const der = device.writeCsr(key);
    expect(readRequest(der)).toBe(device.exportPublicKey(key));
    const file = join(directory, "request.der");
    writeFileSync(file, toBinary(der));
    const args = ["req", "-inform", "DER", "-in", file, "-verify", "-noout"];
    expect(() => execFileSync("openssl", args, { stdio: "pipe" })).not.toThrow();
    device.close();
  });

  it("takes a subject and attributes, without looking at them", () => {
    const extensions = ["-addext", "basicConstraints=critical,CA:true"];
    const { der, publicKey } = ecRequest("/CN=cf root/O=somebody", ...extensions);
    expect(readRequest(der)).toBe(publicKey);
  });

  it("refuses another curve, RSA and another hash", () => {
    expect(refusalOf(otherCurveRequest("P-384"))).toBe("profile");
    expect(refusalOf(otherCurveRequest("secp256k1"))).toBe("profile");
    expect(refusalOf(opensslRequest("-newkey", "rsa:2048", "-subj", "/").der)).toBe("profile");
    expect(refusalOf(ecRequest("/", "-sha384").der)).toBe("profile");
    expect(refusalOf(ecRequest("/", "-sha1").der)).toBe("profile");
  });

  it("refuses every flipped byte and every cut", () => {
    const { der } = ecRequest();
    for (let at = 0; at < der.length; at++) {
      const code = refusalOf(flipBit(der, at * 8 + (at % 8)));
      expect(code, `byte ${at}`).toMatch(/^(?:form|profile|signature)$/);
      expect(refusalOf(der.substring(0, at) as Bytes)).toBe("form");
    }
  });

  it("refuses a signature of another key, bytes after it, and another encoding", () => {
    const [{ der: one, publicKey }, other] = [ecRequest(), ecRequest()];
    const at = one.indexOf(publicKey);
    const swapped = one.slice(0, at) + other.publicKey + one.slice(at + publicKey.length);
    expect(refusalOf(swapped as Bytes)).toBe("signature");
    expect(refusalOf(`${one}\x00` as Bytes)).toBe("form");
    const base64 = toBinary(one).toString("base64");
    for (const text of [base64, toBinary(one).toString("hex")])
      expect(refusalOf(text as Bytes)).toBe("form");
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${base64}\n-----END CERTIFICATE REQUEST-----\n`;
    expect(refusalOf(pem as Bytes)).toBe("form");
  });

  it("refuses what is too long, and nothing", () => {
    const long = ecRequest("/", "-addext", `nsComment=${"x".repeat(1000)}`);
    expect(refusalOf(long.der)).toBe("size");
    expect(refusalOf("" as Bytes)).toBe("form");
  });
});
