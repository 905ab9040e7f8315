/**
 * What a certificate allows its holder: the contents of the one object identifier in its
 * extended key usage (SPEC.md, "Certificates"), as the device compares them.
 */
import type { Bytes } from "./bytes.ts";

/** The roles whose certificates a device checks; each has its place in every list by role. */
export const CLOUD = 0;
export const REGISTRAR = 1;
export const PROVISIONER = 2;

/** The role's name, its object identifier: a function, since a list would stay on the device. */
export function roleOf(role: number): { name: string; oid: Bytes } {
  if (role === CLOUD)
    return {
      name: "cloud",
      oid: "\x69\x82\xbb\x99\x9a\x81\x81\xb3\xe2\x91\x8d\xab\xee\xb5\xa6\x8a\xe4\xec\xff\x32" as Bytes,
    };
  if (role === REGISTRAR)
    return {
      name: "registrar",
      oid: "\x69\x82\xf9\xfc\xb7\xbc\xcf\x86\x8a\x9c\xf5\x88\xb8\xfe\x88\xcd\x86\xcc\xbb\x5e" as Bytes,
    };
  return {
    name: "provisioner",
    oid: "\x69\xdd\xfb\x93\xc6\xce\xd5\x92\x93\x91\xbb\xcf\xad\xc2\xa0\x94\xf9\xe4\x10" as Bytes,
  };
}

/** The role of a device's own certificate. */
export const DEVICE_OID =
  "\x69\x81\x94\xad\xd6\xc9\x81\xa7\x9a\x8e\x91\x85\xea\xf9\xc4\xb1\xc9\xa6\xb4\x5f" as Bytes;
