import { CommanderError } from "commander";

/** What a shell is told. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;

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
  EROFS: "read-only file system",
  EADDRINUSE: "address in use by another process",
  SQLITE_CANTOPEN: "cannot be opened",
  SQLITE_NOTADB: "is not a database",
  SQLITE_CORRUPT: "is damaged",
  SQLITE_BUSY: "is locked by another process",
  SQLITE_READONLY: "is read-only",
};

interface SystemError extends Error {
  code?: string;
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
  const words = SYSTEM_ERRORS[(error as SystemError).code ?? ""];
  if (words !== undefined) return `${subject(error)}: ${words}`;
  return error.message.split("\n").join(" ");
}

/** The exit code of an error; commander has printed its own already. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof CommanderError)) return EXIT.failure;
  return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
