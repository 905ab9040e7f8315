import { expect, it } from "vitest";
import * as dotted from "../../cloud/keys/roles.ts";
import { CLOUD, DEVICE_OID, PROVISIONER, REGISTRAR, roleOf } from "../../protocol/roles.ts";
import { oidContents } from "../support/certificates.ts";

it("are the identifiers that the CA writes", () => {
  const contents = (id: string) => oidContents(id).toString("latin1");
  expect(roleOf(CLOUD)).toEqual({ name: "cloud", oid: contents(dotted.CLOUD_ROLE) });
  expect(roleOf(REGISTRAR)).toEqual({ name: "registrar", oid: contents(dotted.REGISTRAR_ROLE) });
  expect(roleOf(PROVISIONER)).toEqual({
    name: "provisioner",
    oid: contents(dotted.PROVISIONER_ROLE),
  });
  expect(DEVICE_OID).toBe(contents(dotted.DEVICE_ROLE));
});
