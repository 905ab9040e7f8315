import { appendFileSync, chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Certificate } from "../../../cloud/ca/certificate.ts";
import { openIssuedIndex, stateOf } from "../../../cloud/ca/issued.ts";
import { createPrivateFile } from "../../../cloud/keys/private-file.ts";
import { makeRoot, makeUnder, NOW } from "../support/authority.ts";
import { temporaryDirectories } from "../support/temporary.ts";

const temporary = temporaryDirectories();
let path: string;
let certificate: Certificate;
let other: Certificate;

beforeEach(async () => {
  const directory = temporary();
  createPrivateFile(directory, "issued.jsonl", "");
  path = join(directory, "issued.jsonl");
  const root = await makeRoot();
  certificate = root.certificate;
  other = (await makeUnder(root, "cloud")).certificate;
});

describe("the index of what was issued", () => {
  it("keeps certificates in their order, over a restart", () => {
    openIssuedIndex(path).add(certificate);
    openIssuedIndex(path).add(other);
    const { serial, role, subject, notBefore, notAfter } = certificate;
    const { issued, damaged } = openIssuedIndex(path).list();
    expect(issued[0]).toEqual({ serial, role, subject, notBefore, notAfter, revokedAt: undefined });
    expect(issued[1]?.serial).toBe(other.serial);
    expect(damaged).toBe(0);
  });

  it("revokes once and for ever", () => {
    const index = openIssuedIndex(path);
    index.add(certificate);
    index.add(other);
    expect(index.revoke(other.serial, NOW).revokedAt).toBe(NOW);
    expect(index.revoke(other.serial, NOW + 9).revokedAt).toBe(NOW);
    const { issued } = openIssuedIndex(path).list();
    expect(issued.map(({ revokedAt }) => revokedAt)).toEqual([undefined, NOW]);
    expect(() => index.revoke("00", NOW)).toThrow(/one of the index, got 00/);
    expect(readFileSync(path, "utf8").trim().split("\n")).toHaveLength(3);
  });

  it("tells valid from expired and revoked", () => {
    const index = openIssuedIndex(path);
    index.add(other);
    const [entry] = index.list().issued;
    if (!entry) throw new Error("entry, expected one, got none");
    expect(stateOf(entry, other.notAfter)).toBe("valid");
    expect(stateOf(entry, other.notAfter + 1)).toBe("expired");
    expect(stateOf(index.revoke(other.serial, NOW), other.notAfter + 1)).toBe("revoked");
  });

  it("loses nothing to a line that a power cut left at any length", () => {
    openIssuedIndex(path).add(certificate);
    const line = readFileSync(path);
    for (let length = 1; length < line.length; length++) {
      writeFileSync(path, line);
      appendFileSync(path, line.subarray(0, length));
      const index = openIssuedIndex(path);
      index.add(other);
      const { issued, damaged } = index.list();
      expect(issued.map(({ serial }) => serial)).toEqual([certificate.serial, other.serial]);
      // Whole but for its line feed, it reads: the same certificate again.
      expect(damaged).toBe(length === line.length - 1 ? 0 : 1);
    }
  });

  it("is for the owner alone, and made by nobody on the way", () => {
    chmodSync(path, 0o644);
    expect(() => openIssuedIndex(path).add(certificate)).toThrow(/mode 600, got 644/);
    expect(() => openIssuedIndex(path).list()).toThrow(/mode 600, got 644/);
    expect(() => openIssuedIndex(`${path}x`).add(certificate)).toThrow(/ENOENT/);
  });
});
