import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT_SIGNED, type RootSignedRole } from "../ca/profile.ts";

/** The files of a key directory that there are once. */
export const KEY_FILES = {
  /** May be moved elsewhere: only certificates of roles need it. */
  rootKey: "root.key.pem",
  rootCertificate: "root.cert.pem",
  /** The key-encryption key: 32 bytes under which session keys rest in the database. */
  kek: "kek.bin",
  /** What was issued and revoked, one JSON text a line. */
  issued: "issued.jsonl",
} as const;

/** Key and certificate of a role. Renewing makes the next number; the older ones stay. */
export function credentialFiles(role: RootSignedRole, number: number) {
  const stem = `${role}-${number}`;
  return { key: `${stem}.key.pem`, certificate: `${stem}.cert.pem` };
}

const CREDENTIAL = new RegExp(`^(${ROOT_SIGNED.join("|")})-([1-9]\\d*)\\.(?:key|cert)\\.pem$`);

/** Numbers of a role in the directory, in order; one of a certificate that was never written too. */
export function credentialNumbers(directory: string, role: RootSignedRole): number[] {
  const numbers = readdirSync(directory).flatMap((file) => {
    const [, of, number] = CREDENTIAL.exec(file) ?? [];
    return of === role ? [Number(number)] : [];
  });
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** Throws when the directory holds any file of a key directory. */
export function checkNoKeys(directory: string): void {
  const once: string[] = Object.values(KEY_FILES);
  const found = readdirSync(directory).find((file) => once.includes(file) || CREDENTIAL.test(file));
  if (found !== undefined)
    throw new Error(
      `${join(directory, found)}, expected no file, got one: keys are never replaced`,
    );
}

/** Throws, and says what makes them, when there are no keys. */
export function checkMade(directory: string): void {
  const path = join(directory, KEY_FILES.rootCertificate);
  if (!existsSync(path))
    throw new Error(`${path}, expected keys there, got none: make them with "coseflow ca init"`);
}
