/** What Espruino on Linux links: one object, its mbedTLS kept inside. */

import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

const native = join(import.meta.dirname, "../../native");
const object = join(native, "../build/native/devcrypto-espruino.o");

/** A static mbedTLS is what the object is made of; where there is none, it cannot be made. */
const archive = spawnSync("cc", ["-print-file-name=libmbedcrypto.a"], { encoding: "utf8" });
const canBuild = archive.status === 0 && archive.stdout.trim() !== "libmbedcrypto.a";

const symbols = (...flags: string[]) =>
  execFileSync("nm", ["-g", "-f", "posix", ...flags, object], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(" ")[0] as string);

describe.skipIf(!canBuild)("the object for Espruino", () => {
  beforeAll(() => {
    execFileSync("make", ["-s", "-C", native, "espruino"]);
  });

  it("shows the names of the core and the port only", () => {
    const names = symbols("--defined-only");
    expect(names.filter((name) => !name.startsWith("dc_"))).toEqual([]);
    for (const name of [
      "dc_init",
      "dc_free",
      "dc_open_key",
      "dc_verify_certificate",
      "dc_posix_open",
    ])
      expect(names).toContain(name);
  });

  it("asks for nothing of mbedTLS: Espruino's own must not answer", () => {
    const wanted = symbols("--undefined-only");
    expect(wanted.filter((name) => /mbedtls|psa_/.test(name))).toEqual([]);
    expect(wanted).toContain("getrandom");
  });
});
