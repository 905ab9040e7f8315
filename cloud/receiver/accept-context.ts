import type { Bytes } from "../../protocol/bytes.ts";
import type { KeyHandle } from "../../protocol/cose/crypto.ts";
import type { NodeCrypto } from "../crypto/node-crypto.ts";
import type { Store } from "../store/store.ts";
import type { SessionKeys } from "./session-keys.ts";

/** What judging a message needs. */
export interface AcceptContext {
  crypto: NodeCrypto;
  store: Store;
  sessionKeys: SessionKeys;
  /** The cloud's own key: it opens session messages and events. */
  self: { key: KeyHandle; thumbprint: Bytes };
  prefix: string;
  /** Unix seconds. */
  now(): number;
}
