import { createECDH } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createPublicKeyCache } from "../../../cloud/crypto/public-key-cache.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { codeOf } from "./support.ts";

function makePoint(): Bytes {
  return createECDH("prime256v1").generateKeys().toString("latin1") as Bytes;
}

describe("public key cache", () => {
  it("gives the same key again without a second import", () => {
    const cache = createPublicKeyCache();
    const point = makePoint();
    expect(cache.get(`${point}` as Bytes)).toBe(cache.get(point));
    expect(cache.size).toBe(1);
  });

  it("stays within its bound and lets the least recently used go", () => {
    const cache = createPublicKeyCache(3);
    const [a, b, c, d] = [makePoint(), makePoint(), makePoint(), makePoint()];
    const keyOfA = cache.get(a);
    const keyOfB = cache.get(b);
    cache.get(c);
    cache.get(a);
    cache.get(d);
    expect(cache.size).toBe(3);
    expect(cache.get(a)).toBe(keyOfA);
    expect(cache.get(b)).not.toBe(keyOfB);
  });

  it("keeps nothing that is no point", () => {
    const cache = createPublicKeyCache();
    expect(codeOf(() => cache.get("\x04".padEnd(65, "\x01") as Bytes))).toBe("argument");
    expect(codeOf(() => cache.get("" as Bytes))).toBe("argument");
    expect(cache.size).toBe(0);
  });
});
