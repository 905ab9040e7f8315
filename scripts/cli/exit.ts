import { CommanderError } from "commander";
import { EXIT } from "./exit-code.ts";

/** The same in the help of a command that has no more to say of them. */
export const EXIT_CODES = "Exit codes: 0 all went well, 1 it failed, 2 the command line is wrong.";
/** And of one that runs until it is stopped. */
export const EXIT_CODES_RUNNING =
  "Exit codes: 0 it was told to stop, 1 it failed, 2 the command line is wrong.";

/** What was judged does not hold. It has been printed: there is nothing more to say. */
export class JudgedAsFailed extends Error {}

/** A failure of the system in words; `path` or `address` says of what. */
const SYSTEM_ERRORS: Record<string, string> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  ENOENT: "no such file or directory",
  ENOTDIR: "not a directory",
  EISDIR: "is a directory",
  EEXIST: "is there already",
  ENOSPC: "no space left",
  EDQUOT: "no space left of the quota",
  EFBIG: "larger than a file may be here",
  EROFS: "read-only file system",
  EADDRINUSE: "address in use by another process",
  SQLITE_CANTOPEN: "cannot be opened",
  SQLITE_NOTADB: "is not a database",
  SQLITE_CORRUPT: "is damaged",
  SQLITE_BUSY: "is locked by another process",
  SQLITE_READONLY: "is read-only",
  SQLITE_IOERR: "cannot be read or written: look whether the disk is full",
  SQLITE_FULL: "has no space left",
};

interface SystemError extends Error {
  code?: string;
  /** The system's, where the bundler has put its own in place of it. */
  pluginCode?: string;
  path?: string;
  address?: string;
  port?: number;
}

function subject({ code = "", path, address, port }: SystemError): string {
  if (path !== undefined) return path;
  if (address !== undefined) return port === undefined ? address : `${address}:${port}`;
  return code.startsWith("SQLITE") ? "database" : "system";
}

/** An error as one line for people, without a stack trace. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = "", pluginCode = code }: SystemError = error;
  const words = SYSTEM_ERRORS[/^SQLITE_IOERR/.exec(pluginCode)?.[0] ?? pluginCode];
  if (words !== undefined) return `${subject(error)}: ${words}`;
  return error.message.split("\n").join(" ");
}

/** The exit code of an error; commander has printed its own already. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof CommanderError)) return EXIT.failure;
  return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
