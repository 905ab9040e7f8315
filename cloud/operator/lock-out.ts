import { fail } from "../../protocol/errors.ts";
import type { Update } from "../../protocol/update-parameters.ts";
import { validCertificates } from "../keys/credentials.ts";

export const JUDGED_ROLES = ["cloud", "registrar", "provisioner"] as const;
export type JudgedRole = (typeof JUDGED_ROLES)[number];

/** "profile" when the device would then refuse even the newest certificate of a role. */
export function checkNoLockOut(
  bounds: Update["issuedNotBefore"],
  directory: string,
  now: number,
): void {
  for (const role of JUDGED_ROLES) {
    const bound = bounds?.[role] ?? 0;
    if (bound === 0) continue;
    const [{ certificate }] = validCertificates(directory, role, now);
    if (certificate.notBefore < bound)
      fail(
        "profile",
        `issued not before ${bound} for ${role}, expected a newer certificate first, got one of ` +
          `${certificate.notBefore}: run "coseflow ca issue --role ${role}", or the device is locked out`,
      );
  }
}
