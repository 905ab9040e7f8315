import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createNodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { KEY_FILES, loadKeys } from "../../cloud/keys/cloud-keys.ts";
import { explain } from "../cli/exit.ts";
import { bad, type Check, type Finding, ok, warn } from "./check.ts";

const DAY_MS = 24 * 3600 * 1000;
/** Time enough to give every device the next key. */
const SOON_DAYS = 30;

/** Files that nobody but their owner may read; the root's key may be kept elsewhere. */
const PRIVATE = [KEY_FILES.rootKey, KEY_FILES.cloudKey, KEY_FILES.kek];

const RENEW =
  "coseflow keys init --dir <a new directory>, then give the devices its key (coseflow keys show)";

/** The cloud's keys and certificates: there, for their owner alone, belonging together, in date. */
export function certificatesCheck(directory: string, now: () => number): Check {
  function checkMode(path: string, expected: number): Finding | undefined {
    if (!existsSync(path)) return undefined;
    const mode = statSync(path).mode & 0o777;
    if ((mode & 0o077) === 0) return undefined;
    return bad(
      `${path}: mode ${mode.toString(8)}, expected ${expected.toString(8)}`,
      "others on this machine could read the key; serve does not start with it",
      `chmod ${expected.toString(8)} ${path}`,
    );
  }

  function checkModes(): Finding[] {
    return [
      checkMode(directory, 0o700),
      ...PRIVATE.map((name) => checkMode(join(directory, name), 0o600)),
    ].filter((finding) => finding !== undefined);
  }

  function checkTogether(): Finding | undefined {
    const crypto = createNodeCrypto();
    try {
      const { key, kek } = loadKeys(crypto, directory);
      crypto.destroyKey(key);
      crypto.destroyKey(kek);
      return undefined;
    } catch (error) {
      return bad(
        explain(error),
        "a file of the keys is missing, damaged, or of another set; serve does not start with them",
        `restore ${directory} from a backup`,
      );
    }
  }

  function checkDates(name: string): Finding {
    const certificate = new X509Certificate(readFileSync(join(directory, name)));
    const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
    const until = new Date(to).toISOString().slice(0, 10);
    if (now() < from)
      return bad(
        `${name}: not valid before ${new Date(from).toISOString()}`,
        "the clock is wrong, or was when it was made",
        "sudo timedatectl set-ntp true",
      );
    if (now() > to) return bad(`${name}: expired on ${until}`, "devices refuse it", RENEW);
    const days = Math.floor((to - now()) / DAY_MS);
    if (days < SOON_DAYS)
      return warn(`${name}: expires in ${days} days`, "devices will refuse it", RENEW);
    return ok(`${name}: valid until ${until}`);
  }

  return {
    name: "certificates",
    async run() {
      if (!existsSync(join(directory, KEY_FILES.cloudCertificate)))
        return [
          warn(
            `${directory}: no keys of the cloud`,
            "serve cannot start; demo makes its own",
            `coseflow keys init --dir ${directory}`,
          ),
        ];
      const modes = checkModes();
      if (modes.length > 0) return modes;
      const apart = checkTogether();
      if (apart !== undefined) return [apart];
      return [KEY_FILES.rootCertificate, KEY_FILES.cloudCertificate].map(checkDates);
    },
  };
}
