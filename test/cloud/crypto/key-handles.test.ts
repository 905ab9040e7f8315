import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { serialize } from "node:v8";
import { describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../../cloud/crypto/node-crypto.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { USAGE_DERIVE, USAGE_SIGN } from "../../../protocol/cose/crypto.ts";

const crypto = createNodeCrypto();

/** Every way a handle gets into a log or a file by accident. */
function appearances(handle: object): string[] {
  return [
    JSON.stringify(handle),
    JSON.stringify({ ...handle }),
    inspect(handle, { showHidden: true, depth: null, getters: true }),
    `${handle}`,
    serialize(handle).toString("latin1"),
    serialize(structuredClone(handle)).toString("latin1"),
  ];
}

function expectHidden(handle: object, secret: Buffer): void {
  for (const text of appearances(handle)) {
    for (const encoding of ["latin1", "hex", "base64", "base64url"] as const)
      expect(text).not.toContain(secret.toString(encoding));
    expect(text).not.toContain([...secret].join(","));
    expect(text.length).toBeLessThan(64);
  }
}

describe("a key handle", () => {
  it("shows nothing of a private key", () => {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const secret = Buffer.from(pair.privateKey.export({ format: "jwk" }).d as string, "base64url");
    const pem = pair.privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    expectHidden(crypto.importPrivateKey(pem, USAGE_SIGN | USAGE_DERIVE), secret);
  });

  it("shows nothing of a key-encryption key", () => {
    const secret = crypto.generateRandom(32);
    expectHidden(crypto.importKek(secret), Buffer.from(secret, "latin1"));
  });

  it("has no properties to copy or to read", () => {
    const handle = crypto.importKek(crypto.generateRandom(32));
    expect(Reflect.ownKeys(handle)).toEqual([]);
  });

  it("leaves the secret out of every error", () => {
    const secret = "\x01SECRET SECRET SECRET SECRET\xff" as Bytes;
    for (const action of [
      () => crypto.importKek(secret),
      () => crypto.importPrivateKey(secret, USAGE_SIGN),
      () => crypto.importPrivateKey(Buffer.from(secret, "latin1"), USAGE_SIGN),
    ]) {
      let caught: unknown;
      try {
        action();
      } catch (error) {
        caught = error;
      }
      expect(caught).toBeInstanceOf(Error);
      expect(inspect(caught, { showHidden: true, depth: null })).not.toContain("SECRET");
    }
  });
});
