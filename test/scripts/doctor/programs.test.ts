import { chmodSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { clockCheck } from "../../../scripts/doctor/clock.ts";
import { compilerCheck } from "../../../scripts/doctor/compiler.ts";
import { devcryptoCheck } from "../../../scripts/doctor/devcrypto.ts";
import { nodeCheck } from "../../../scripts/doctor/node.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { machineWith, problemOf, resultsOf } from "./bench.ts";

const temporary = temporaryDirectories();

/** A folder with programs of a test: shell scripts by name. */
function programs(scripts: Record<string, string>): string {
  const folder = temporary();
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

describe("node", () => {
  it.each([
    ["v20.11.0", "ok"],
    ["v20.12.0", "ok"],
    ["v24.0.0", "ok"],
    ["v20.9.1", "fail"],
    ["v18.20.0", "fail"],
  ])("%s is %s", async (version, result) => {
    expect(await resultsOf(nodeCheck({ version, engines: ">=20.11" }))).toEqual([result]);
  });
});

describe("compiler", () => {
  it("finds what this machine builds the C module with", async () => {
    expect(await resultsOf(compilerCheck(machineWith({})))).toEqual(["ok", "ok", "ok"]);
  });

  it("misses everything where there is nothing", async () => {
    const findings = await compilerCheck(machineWith({ path: temporary() })).run();
    expect(findings.map(({ fix }) => fix)).toEqual([
      "sudo apt-get install -y gcc libc6-dev",
      "sudo apt-get install -y make",
    ]);
  });

  it("tells a compiler without its C library", async () => {
    const path = programs({ cc: 'test "$1" = --version', make: "exit 0" });
    const { text, fix } = await problemOf(compilerCheck(machineWith({ path })));
    expect(text).toMatch(/cannot build/);
    expect(fix).toMatch(/libc6-dev/);
  });

  it("misses mbedTLS where only that is missing", async () => {
    const refuse = "grep -q mbedtls && exit 1; exit 0";
    const path = programs({ cc: refuse, make: "exit 0" });
    symlinkSync("/bin/grep", join(path, "grep"));
    const { fix } = await problemOf(compilerCheck(machineWith({ path })));
    expect(fix).toBe("sudo apt-get install -y libmbedtls-dev");
  });
});

describe("c module", () => {
  it("is missed where it is not built, and where it is something else", async () => {
    const folder = temporary();
    const addon = join(folder, "devcrypto.node");
    expect(await problemOf(devcryptoCheck(addon))).toMatchObject({
      result: "warn",
      text: expect.stringMatching(/not built/),
      fix: "make -C native",
    });
    writeFileSync(addon, "no library");
    expect((await problemOf(devcryptoCheck(addon))).text).toMatch(/devcrypto.node: /);
  });
});

describe("clock", () => {
  it("fails before the time of the build", async () => {
    const built = join(temporary(), "built");
    writeFileSync(built, "");
    const machine = machineWith({ now: () => Date.parse("2020-01-01T00:00:00Z") });
    const { result, text } = await problemOf(clockCheck(machine, built));
    expect(result).toBe("fail");
    expect(text).toMatch(/^the clock says 2020-01-01.*before this program was built/);
    utimesSync(built, 0, 0);
    expect(await resultsOf(clockCheck(machineWith({ path: "" }), built))).toEqual(["ok"]);
  });

  it("is warned of when nothing keeps it", async () => {
    const synchronized = (answer: string) =>
      clockCheck(
        machineWith({ run: temporary(), path: programs({ timedatectl: `echo ${answer}` }) }),
        import.meta.filename,
      );
    expect(await problemOf(synchronized("no"))).toMatchObject({
      result: "warn",
      fix: "sudo timedatectl set-ntp true",
    });
    expect(await resultsOf(synchronized("yes"))).toEqual(["ok"]);
  });
});
