import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Certificate } from "../../cloud/ca/certificate.ts";
import { type CertificateRole, ROOT_SIGNED, type RootSignedRole } from "../../cloud/ca/profile.ts";
import { createNodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { loadKeys, loadRegistrarKeys } from "../../cloud/keys/cloud-keys.ts";
import { readRoot, validCertificates } from "../../cloud/keys/credentials.ts";
import { credentialFiles, credentialNumbers, KEY_FILES } from "../../cloud/keys/key-directory.ts";
import { explain } from "../cli/exit.ts";
import { bad, type Check, type Finding, ok, warn } from "./check.ts";

const DAY = 24 * 3600;
/** Seconds: of two certificates of a role made at once, the second is dated a second ahead. */
const LEEWAY = 60;

/** Time enough to give every device the next certificate. */
const SOON_DAYS = 30;

/** What no longer works once the certificate of a role has expired. */
const WITHOUT: Record<CertificateRole, string> = {
  root: "devices refuse every certificate",
  issuing: "no device can enrol",
  cloud: "devices refuse it, and serve does not start",
  registrar: "no device can enrol",
  provisioner: "devices refuse its commands",
  device: "the device has to enrol again",
};

/** The cloud's keys and certificates: there, for their owner alone, belonging together, in date. */
export function certificatesCheck(directory: string, nowMs: () => number): Check {
  const now = () => Math.floor(nowMs() / 1000);

  function checkMode(path: string, expected: number): Finding[] {
    const mode = statSync(path).mode & 0o777;
    if ((mode & 0o077) === 0) return [];
    return [
      bad(
        `${path}: mode ${mode.toString(8)}, expected ${expected.toString(8)}`,
        "others on this machine could read the key; serve does not start with it",
        `chmod ${expected.toString(8)} ${path}`,
      ),
    ];
  }

  /** Of every file that nobody but its owner may read; keys that people use may be elsewhere. */
  function checkModes(): Finding[] {
    const keys = ROOT_SIGNED.flatMap((role) =>
      credentialNumbers(directory, role).map((number) => credentialFiles(role, number).key),
    );
    const files = [KEY_FILES.rootKey, KEY_FILES.kek, KEY_FILES.issued, ...keys]
      .map((name) => join(directory, name))
      .filter((path) => existsSync(path));
    return [...checkMode(directory, 0o700), ...files.flatMap((path) => checkMode(path, 0o600))];
  }

  function issueCommand(role: RootSignedRole): string {
    return `coseflow ca issue --role ${role} --dir ${directory}`;
  }

  /** The root's certificate, or the newest of a role, whatever its dates. */
  function newestOf(role: "root" | RootSignedRole): Certificate {
    return role === "root"
      ? readRoot(directory)
      : validCertificates(directory, role, 0)[0].certificate;
  }

  function checkDates(role: "root" | RootSignedRole): Finding {
    const { notBefore, notAfter } = newestOf(role);
    const until = new Date(notAfter * 1000).toISOString().slice(0, 10);
    const renew =
      role === "root"
        ? "coseflow ca init --dir <a new directory>, then give every device its root (coseflow ca show --anchor)"
        : issueCommand(role);
    if (now() + LEEWAY < notBefore)
      return bad(
        `${role}: not valid before ${new Date(notBefore * 1000).toISOString()}`,
        "the clock is wrong, or was when it was made",
        "sudo timedatectl set-ntp true",
      );
    if (now() > notAfter) return bad(`${role}: expired on ${until}`, WITHOUT[role], renew);
    const days = Math.floor((notAfter - now()) / DAY);
    if (days < SOON_DAYS)
      return warn(`${role}: expires in ${days} days`, `then ${WITHOUT[role]}`, renew);
    return ok(`${role}: valid until ${until}`);
  }

  /** Each certificate is the root's, or it does not count: validCertificates sees to that. */
  function checkRole(role: "root" | RootSignedRole): Finding {
    try {
      return checkDates(role);
    } catch (error) {
      return bad(
        explain(error),
        `certificates of ${role} are missing, revoked, damaged, or another root's`,
        role === "root" || credentialNumbers(directory, role).length > 0
          ? `restore ${directory} from a backup, or do what is said above`
          : issueCommand(role),
      );
    }
  }

  /** Opens what services open, and forgets it. The provisioner's key is the operator's. */
  function checkKeys(): Finding[] {
    const crypto = createNodeCrypto();
    try {
      const { key, older, kek } = loadKeys(crypto, directory, now());
      const { registrar, issuing } = loadRegistrarKeys(crypto, directory, now());
      for (const credential of [...older, registrar, issuing]) crypto.destroyKey(credential.key);
      crypto.destroyKey(key);
      crypto.destroyKey(kek);
      return [];
    } catch (error) {
      return [
        bad(
          explain(error),
          "a file of the keys is missing, damaged, or of another set; serve does not start with them",
          `restore ${directory} from a backup`,
        ),
      ];
    }
  }

  return {
    name: "certificates",
    async run() {
      if (!existsSync(join(directory, KEY_FILES.rootCertificate)))
        return [
          warn(
            `${directory}: no keys of the cloud`,
            "serve cannot start; demo makes its own",
            `coseflow ca init --dir ${directory}`,
          ),
        ];
      const modes = checkModes();
      if (modes.length > 0) return modes;
      const roles = (["root", ...ROOT_SIGNED] as const).map(checkRole);
      // Keys are not opened for an expired certificate: that would be said twice.
      if (roles.some(({ result }) => result === "fail")) return roles;
      return [...roles, ...checkKeys()];
    },
  };
}
