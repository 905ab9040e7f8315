import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parsePublicKey } from "../../cloud/registry.ts";
import { toHex } from "../../protocol/bytes.ts";
import { codeOf } from "../support/refusal.ts";

const pair = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const spki = pair.publicKey.export({ type: "spki", format: "der" });
const point = spki.subarray(-65);
const pem = pair.publicKey.export({ type: "spki", format: "pem" }) as string;

describe("parsePublicKey", () => {
  it("reads hexadecimal, base64, base64url and PEM", () => {
    for (const text of [
      point.toString("hex"),
      point.toString("hex").toUpperCase(),
      ` ${point.toString("base64")}\n`,
      point.toString("base64url"),
      pem,
    ])
      expect(toHex(parsePublicKey(text))).toBe(point.toString("hex"));
  });

  it("refuses everything else", () => {
    const offCurve = Buffer.from(point);
    offCurve[64] = (offCurve[64] as number) ^ 1;
    const other = generateKeyPairSync("ec", { namedCurve: "secp384r1" }).publicKey;
    const compressed = Buffer.concat([Buffer.of(2), point.subarray(1, 33)]);
    for (const text of [
      "",
      "04",
      "greenhouse",
      offCurve.toString("hex"),
      `04${"00".repeat(64)}`,
      compressed.toString("hex"),
      point.subarray(1).toString("base64"),
      `${point.toString("hex")}00`,
      other.export({ type: "spki", format: "pem" }) as string,
      pem.replace("M", "!"),
      pair.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    ])
      expect(
        codeOf(() => parsePublicKey(text)),
        text,
      ).toBe("argument");
  });
});
