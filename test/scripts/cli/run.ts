import { runCli } from "../../../scripts/cli/program.ts";

export interface Ran {
  code: number;
  out: string;
  error: string;
}

/** Streams for a command of which only the deed counts. */
export const silent = { out: () => {}, error: () => {} };

/** Runs one command line in this process. */
export async function run(...args: string[]): Promise<Ran> {
  const written = { out: "", error: "" };
  const code = await runCli(args, {
    out: (text) => {
      written.out += text;
    },
    error: (text) => {
      written.error += text;
    },
  });
  return { code, ...written };
}
