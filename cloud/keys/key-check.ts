import type { Bytes } from "../../protocol/bytes.ts";
import { type KeyHandle, USAGE_DERIVE } from "../../protocol/cose/crypto.ts";
import type { NodeCrypto } from "../crypto/node-crypto.ts";
import type { Store } from "../store/store.ts";

/** AAD of the sealed key that tells whether a database and a KEK belong together. */
const KEY_CHECK = "coseflow key check" as Bytes;

/**
 * Throws when the database's session keys are sealed under another KEK: found at
 * the start, it is a wrong path; found later, every reading would be refused.
 */
export async function checkKek(crypto: NodeCrypto, store: Store, kek: KeyHandle): Promise<void> {
  const fresh = crypto.generateKey(USAGE_DERIVE);
  const sealed = await store.keepKeyCheck(crypto.sealKey(fresh, kek, KEY_CHECK));
  crypto.destroyKey(fresh);
  try {
    crypto.destroyKey(crypto.openKey(sealed, kek, KEY_CHECK, USAGE_DERIVE));
  } catch {
    throw new Error("database, expected one sealed under this key-encryption key, got another's");
  }
}
