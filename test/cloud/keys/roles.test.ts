import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { PROFILES } from "../../../cloud/ca/profile.ts";
import { oidContents } from "../../support/certificates.ts";

const SPEC = readFileSync(resolve(import.meta.dirname, "../../../SPEC.md"), "utf8");
const LEAVES = ["cloud", "registrar", "provisioner", "device"] as const;

describe("the roles", () => {
  it.each(LEAVES)("of %s stands in SPEC, dotted and as its bytes", (role) => {
    const dotted = PROFILES[role].extendedKeyUsage as string;
    expect(dotted).toMatch(/^2\.25\.\d+$/);
    const [row] = SPEC.match(new RegExp(`^\\| ${role} \\| 2\\.25\\..*$`, "m")) ?? [];
    expect(row).toBe(`| ${role} | ${dotted} | \`${oidContents(dotted).toString("hex")}\` |`);
  });

  it("are UUIDs, each another", () => {
    const ids = LEAVES.map((role) => PROFILES[role].extendedKeyUsage as string);
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) {
      const uuid = BigInt(id.slice("2.25.".length)).toString(16).padStart(32, "0");
      // Version 4, variant of RFC 9562.
      expect(uuid).toMatch(/^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
    }
  });
});
