import { appendPrivateLine, readPrivateFile } from "../keys/private-file.ts";
import type { Certificate } from "./certificate.ts";
import type { CertificateRole } from "./profile.ts";

/** What the index knows of a certificate. */
export interface Issued {
  /** Hexadecimal, lower case. */
  serial: string;
  role: CertificateRole;
  subject: string;
  /** Unix seconds. */
  notBefore: number;
  notAfter: number;
  /** Unix seconds; undefined when it is not revoked. */
  revokedAt: number | undefined;
}

export type IssuedState = "valid" | "expired" | "revoked";

/** The certificates that were ever issued here. */
export interface IssuedIndex {
  /** Durable when it returns: called before the certificate is given out. */
  add(certificate: Certificate): void;
  /** Marks a certificate for ever; a second time changes nothing. Throws when there is none, and for the root. */
  revoke(serial: string, now: number): Issued;
  /** In the order they were issued. `damaged` counts lines that do not read, cut ones included. */
  list(): { issued: Issued[]; damaged: number };
}

/** A line of the file. It is only ever added to, so no fault in writing can lose an older one. */
type Line =
  | {
      event: "issued";
      serial: string;
      role: CertificateRole;
      subject: string;
      notBefore: number;
      notAfter: number;
    }
  | { event: "revoked"; serial: string; at: number };

function parseLine(text: string): Line | undefined {
  try {
    const line = JSON.parse(text) as Line;
    return line.event === "issued" || line.event === "revoked" ? line : undefined;
  } catch {
    return undefined;
  }
}

function note(all: Map<string, Issued>, line: Line): void {
  if (line.event === "issued") {
    const { serial, role, subject, notBefore, notAfter } = line;
    all.set(serial, { serial, role, subject, notBefore, notAfter, revokedAt: undefined });
    return;
  }
  const entry = all.get(line.serial);
  if (entry) entry.revokedAt ??= line.at;
}

/** An index in a file of JSON lines that is there already. */
export function openIssuedIndex(path: string): IssuedIndex {
  const append = (line: Line) => appendPrivateLine(path, JSON.stringify(line));

  function read(): { all: Map<string, Issued>; damaged: number } {
    const texts = readPrivateFile(path).toString("utf8").split("\n").filter(Boolean);
    const all = new Map<string, Issued>();
    let damaged = 0;
    for (const text of texts) {
      const line = parseLine(text);
      if (line) note(all, line);
      else damaged++;
    }
    return { all, damaged };
  }

  return {
    add({ serial, role, subject, notBefore, notAfter }) {
      append({ event: "issued", serial, role, subject, notBefore, notAfter });
    },

    revoke(serial, now) {
      const entry = read().all.get(serial);
      if (!entry) throw new Error(`serial number, expected one of the index, got ${serial}`);
      if (entry.role === "root")
        throw new Error("serial number, expected one below the root, got the root's");
      if (entry.revokedAt !== undefined) return entry;
      append({ event: "revoked", serial, at: now });
      return { ...entry, revokedAt: now };
    },

    list() {
      const { all, damaged } = read();
      return { issued: [...all.values()], damaged };
    },
  };
}

/**
 * What devices have to be told for a role: the start of the certificates from which on they
 * take them. One second after the newest that is revoked; undefined when none is.
 */
export function issuedNotBefore(issued: Issued[], role: CertificateRole): number | undefined {
  const revoked = issued.filter((entry) => entry.role === role && entry.revokedAt !== undefined);
  return revoked.length === 0
    ? undefined
    : Math.max(...revoked.map(({ notBefore }) => notBefore)) + 1;
}

export function stateOf({ revokedAt, notAfter }: Issued, now: number): IssuedState {
  if (revokedAt !== undefined) return "revoked";
  return notAfter < now ? "expired" : "valid";
}
