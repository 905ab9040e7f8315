import { type Check, type Finding, ok, warn } from "./check.ts";
import { type Machine, runProgram } from "./machine.ts";

const CAUSE = "the C module cannot be built; a stand-in takes its place on this machine";
const install = (packages: string) => `sudo apt-get install -y ${packages}`;

const EMPTY_PROGRAM = "int main(void) { return 0; }";
const MBEDTLS_PROGRAM = `#include <mbedtls/gcm.h>\n${EMPTY_PROGRAM}`;

/** What the C module is built with: compiler, make, mbedTLS with its headers. */
export function compilerCheck(machine: Machine): Check {
  async function compiles(source: string, libraries: string[]): Promise<boolean> {
    const args = ["-x", "c", "-", "-o", "/dev/null", ...libraries];
    return (await runProgram(machine, "cc", args, source)).code === 0;
  }

  async function checkMake(): Promise<Finding> {
    const { code } = await runProgram(machine, "make", ["--version"]);
    if (code === 0) return ok("make");
    return warn("make is not there", CAUSE, install("make"));
  }

  async function checkMbedtls(): Promise<Finding> {
    if (await compiles(MBEDTLS_PROGRAM, ["-lmbedcrypto"])) return ok("mbedTLS with its headers");
    return warn("mbedTLS or its headers are not there", CAUSE, install("libmbedtls-dev"));
  }

  return {
    name: "compiler",
    async run() {
      const make = await checkMake();
      if (await compiles(EMPTY_PROGRAM, [])) return [ok("C compiler"), make, await checkMbedtls()];
      const { code } = await runProgram(machine, "cc", ["--version"]);
      const text = code === 0 ? "cc cannot build a program" : "no C compiler (cc)";
      return [warn(text, CAUSE, install("gcc libc6-dev")), make];
    },
  };
}
