/**
 * Wycheproof's cases on the C core itself, below the addon: a program of the core and a
 * function that puts a key into a slot, fed with one line for each case.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type AeadGroup,
  type AgreementGroup,
  type Case,
  type HkdfGroup,
  hasVectors,
  type KeyWrapGroup,
  notice,
  readGroups,
  type SignatureGroup,
} from "../vectors/wycheproof.ts";

const root = join(import.meta.dirname, "..", "..");
const program = join(root, "build", "native", "wycheproof");

/** The answers of the program, one for each line: [verdict, …results]. */
function judge(lines: string[][]): string[][] {
  execFileSync("make", ["-s", "-C", join(root, "native"), "wycheproof"]);
  const input = lines.map((line) => line.map((field) => field || "-").join(" ")).join("\n");
  const output = execFileSync(program, { input, encoding: "utf8", maxBuffer: 1 << 26 });
  return output
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" ").map(empty));
}

const empty = (field: string) => (field === "-" ? "" : field);

/** What the core says to each case, as the vectors would say it, and what must be so. */
interface Judged extends Case {
  verdict: string;
  results: string[];
}

function judgeAll<T extends Case>(cases: T[], toLine: (one: T) => string[]): (T & Judged)[] {
  const answers = judge(cases.map(toLine));
  expect(answers).toHaveLength(cases.length);
  return cases.map((one, i) => {
    const [verdict = "", ...results] = answers[i] ?? [];
    return { ...one, verdict, results };
  });
}

const expected = { valid: "accept", invalid: "refuse" };

/** Cases that came out otherwise; "size" says no, "acceptable" is either. */
function mismatches(judged: Judged[]): number[] {
  return judged
    .filter(({ result }) => result !== "acceptable")
    .filter(({ result, verdict }) => {
      return expected[result as "valid"] !== (verdict === "size" ? "refuse" : verdict);
    })
    .map(({ tcId }) => tcId);
}

/** How often each verdict was given. */
function verdicts(judged: Judged[]): { [verdict: string]: number } {
  const counts: { [verdict: string]: number } = {};
  for (const { verdict } of judged) counts[verdict] = (counts[verdict] ?? 0) + 1;
  return counts;
}

const isAccepted = ({ verdict }: Judged) => verdict === "accept";

describe.skipIf(!hasVectors)(`Wycheproof${notice}: C core`, () => {
  it("verifies ES256 signatures", () => {
    const cases = readGroups<SignatureGroup>("ecdsa_secp256r1_sha256_p1363_test.json").flatMap(
      ({ publicKey, tests }) => tests.map((one) => ({ ...one, point: publicKey.uncompressed })),
    );
    const judged = judgeAll(cases, ({ point, msg, sig }) => ["ecdsa", point, msg, sig]);
    expect(mismatches(judged)).toEqual([]);
    expect(verdicts(judged)).toEqual({ accept: 173, refuse: 68, size: 21 });
  });

  it("agrees on keys by ECDH, and refuses what is no point", () => {
    const cases = readGroups<AgreementGroup>("ecdh_secp256r1_ecpoint_test.json").flatMap(
      ({ tests }) => tests,
    );
    const scalar = (digits: string) => digits.padStart(64, "0").slice(-64);
    const judged = judgeAll(cases, (one) => ["ecdh", scalar(one.private), one.public]);
    expect(mismatches(judged)).toEqual([]);
    expect(verdicts(judged)).toEqual({ accept: 331, refuse: 24 });
    for (const one of judged.filter(isAccepted)) expect(one.results).toEqual([one.shared]);
  });

  it("encrypts and decrypts with A128GCM", () => {
    const cases = readGroups<AeadGroup>("aes_gcm_test.json")
      .filter((group) => group.keySize === 128 && group.ivSize === 96 && group.tagSize === 128)
      .flatMap(({ tests }) => tests);
    const judged = judgeAll(cases, (one) => {
      return ["gcm", one.key, one.iv, one.aad, one.msg, one.ct + one.tag];
    });
    expect(mismatches(judged)).toEqual([]);
    expect(verdicts(judged)).toEqual({ accept: 40, refuse: 27 });
    for (const one of judged) {
      const [opened, sealed] = one.results;
      expect(opened).toBe(isAccepted(one) ? one.msg : "");
      expect(sealed === one.ct + one.tag).toBe(isAccepted(one));
    }
  });

  it("wraps and unwraps keys of 16 bytes with A128KW", () => {
    const cases = readGroups<KeyWrapGroup>("aes_wrap_test.json")
      .filter(({ keySize }) => keySize === 128)
      .flatMap(({ tests }) => tests)
      // Keys of another size are not of the profile, however well wrapped.
      .map((one) => (one.msg.length === 32 ? one : { ...one, result: "invalid" as const }));
    const judged = judgeAll(cases, ({ key, msg, ct }) => ["wrap", key, msg, ct]);
    expect(mismatches(judged)).toEqual([]);
    expect(verdicts(judged)).toEqual({ accept: 4, refuse: 12, size: 26 });
    for (const one of judged.filter(isAccepted)) expect(one.results).toEqual([one.msg, one.ct]);
  });

  it("derives the first 16 bytes of HKDF-SHA-256 with an empty salt", () => {
    const cases = readGroups<HkdfGroup>("hkdf_sha256_test.json")
      .flatMap(({ tests }) => tests)
      .filter(({ salt, size, result }) => salt === "" && size >= 16 && result === "valid");
    const judged = judgeAll(cases, ({ ikm, info }) => ["hkdf", ikm, info]);
    expect(verdicts(judged)).toEqual({ accept: 23 });
    for (const one of judged) expect(one.results).toEqual([one.okm.slice(0, 32)]);
  });
});
