import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/*
 * The shapes of Wycheproof's test files, as far as they are used here. All strings
 * of bytes are hexadecimal.
 */

export interface Case {
  tcId: number;
  comment: string;
  result: "valid" | "invalid" | "acceptable";
}

export interface SignatureGroup {
  publicKey: { uncompressed: string };
  tests: (Case & { msg: string; sig: string })[];
}

export interface AgreementGroup {
  tests: (Case & { public: string; private: string; shared: string })[];
}

export interface AeadGroup {
  keySize: number;
  ivSize: number;
  tagSize: number;
  tests: (Case & {
    key: string;
    iv: string;
    aad: string;
    msg: string;
    ct: string;
    tag: string;
  })[];
}

export interface KeyWrapGroup {
  keySize: number;
  tests: (Case & { key: string; msg: string; ct: string })[];
}

export interface HkdfGroup {
  tests: (Case & { ikm: string; salt: string; info: string; size: number; okm: string })[];
}

const beside = fileURLToPath(new URL("../../../shared/vectors", import.meta.url));
const folder = join(process.env.VECTORS ?? beside, "wycheproof");

export const hasVectors = existsSync(folder);
/** For the title of the tests: says why they are skipped. */
export const notice = hasVectors ? "" : ` (skipped: no vectors in ${folder})`;

/** The groups of a file; none where there are no vectors. */
export function readGroups<Group>(name: string): Group[] {
  if (!hasVectors) return [];
  return JSON.parse(readFileSync(join(folder, name), "utf8")).testGroups;
}
