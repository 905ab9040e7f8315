import { type Bytes, equalBytes } from "../../protocol/bytes.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import { readRequest } from "../ca/request.ts";
import type { RegistrarKeys } from "../keys/cloud-keys.ts";
import type { AcceptContext } from "../receiver/accept-context.ts";
import { isRefused, judge, type Refused } from "../receiver/refusal.ts";
import type { RolledKey } from "../store/commands.ts";
import { createAnswerer, tryToAnswer } from "./answer.ts";

/**
 * Makes certificate and `enrolled` for the key that a device replaces its own by. The reply
 * that carries the CSR is verified: the old key vouches for the new one.
 */
export function createRoller(context: AcceptContext, keys: RegistrarKeys) {
  const { crypto, store, now } = context;
  const answer = createAnswerer(crypto, keys);
  const ours = [context.self, ...context.older, keys.registrar, keys.issuing].map(({ key }) =>
    crypto.exportPublicKey(key),
  );

  /** A key has one role. Whose a key that is on its way is, the commit judges. */
  async function isKnown(publicKey: Bytes, kid: Bytes): Promise<boolean> {
    if (ours.some((own) => equalBytes(own, publicKey))) return true;
    const device = await store.findDevice(kid);
    return device !== undefined && device.state !== "rolling";
  }

  /** `hash` is the name of the reply. */
  return async function roll(csr: Bytes, hash: Bytes): Promise<RolledKey | Refused> {
    const publicKey = judge(() => readRequest(csr));
    if (isRefused(publicKey)) return publicKey;
    const thumbprint = thumbprintOf(crypto, publicKey);
    if (await isKnown(publicKey, kidOf(thumbprint))) return { refused: "key-known" };
    const answered = await tryToAnswer(answer(csr, { publicKey, thumbprint }, hash, now()));
    if (isRefused(answered)) return answered;
    const { certificate, reply } = answered;
    return { publicKey, thumbprint, certificate, enrolled: reply };
  };
}
