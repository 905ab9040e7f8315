export const PASSWORD_VARIABLE = "COSEFLOW_BROKER_PASSWORD";

import { readText } from "../board/read-file.ts";

/** From the file, otherwise from the environment: on the command line every user would see it. */
export function readPassword(file: string | undefined): string | undefined {
  if (file === undefined) return process.env[PASSWORD_VARIABLE];
  return readText(file).replace(/\r?\n$/, "");
}
