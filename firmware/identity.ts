import { toHex } from "../protocol/bytes.ts";
import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import { kidOf, thumbprintOf } from "../protocol/kid.ts";
import type { Board } from "./config.ts";
import type { Log } from "./ports.ts";
import { keyInUse } from "./provision/roll-record.ts";
import type { Identity } from "./session.ts";

/** Opens the device's key, or makes it, and tells a person what it is. */
export function openIdentity(crypto: DeviceCrypto, board: Board, log: Log): Identity {
  const id = keyInUse(crypto, log);
  const key = crypto.openKey(id);
  const publicKey = crypto.exportPublicKey(key);
  const thumbprint = thumbprintOf(crypto, publicKey);
  log("coseflow on " + board.name + ", device " + toHex(kidOf(thumbprint)));
  log("register it: coseflow device register --key " + toHex(publicKey));
  return { key: key, thumbprint: thumbprint, id: id };
}
