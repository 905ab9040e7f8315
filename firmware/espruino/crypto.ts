import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";

/**
 * The C module, built into Espruino. Without it there is nowhere to keep a key and
 * nothing to seal with, so the device does not start.
 */
export function loadCrypto(): DeviceCrypto {
  let module: unknown;
  try {
    module = require("devcrypto");
  } catch {
    module = undefined;
  }
  if (!module)
    fail(
      "key",
      'module "devcrypto", expected in this Espruino, got none: Espruino ' +
        process.version +
        " for " +
        process.env.BOARD +
        " was built without coseflow's C module",
    );
  return module as DeviceCrypto;
}
