import { bad, type Check, ok } from "./check.ts";

/** True when a version ("v20.9.1") is at least another ("20.11"), number by number. */
function isAtLeast(version: string, oldest: string): boolean {
  const parts = (text: string) => text.replace(/^v/, "").split(".").map(Number);
  const [have, need] = [parts(version), parts(oldest)];
  for (const [i, least] of need.entries()) {
    const got = have[i] ?? 0;
    if (got !== least) return got > least;
  }
  return true;
}

/** `engines` is package.json's word, such as ">=20.11". */
export function nodeCheck({ version, engines }: { version: string; engines: string }): Check {
  const oldest = engines.replace(/^>=/, "");
  return {
    name: "node",
    async run() {
      if (isAtLeast(version, oldest)) return [ok(`Node.js ${version}`)];
      return [
        bad(
          `Node.js ${version}, expected ${oldest} or later`,
          "the program uses what older versions do not have",
          "install a current LTS version from https://nodejs.org/",
        ),
      ];
    },
  };
}
