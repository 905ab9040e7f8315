import type { Bytes } from "../../protocol/bytes.ts";
import type { KeyHandle } from "../../protocol/cose/crypto.ts";
import type { NodeCrypto } from "../crypto/node-crypto.ts";
import type { RegistrarKeys } from "../keys/cloud-keys.ts";
import type { Store } from "../store/store.ts";
import type { SessionKeys } from "./session-keys.ts";

export interface OwnKey {
  key: KeyHandle;
  thumbprint: Bytes;
}

/** The cloud's keys that messages are judged with; `serve` may get others while it runs. */
export interface OwnKeys {
  /** The cloud's own key: it opens what devices seal to the cloud. */
  self: OwnKey;
  /** Keys before it, whose certificates are still valid: devices may seal to them yet. */
  older: readonly OwnKey[];
  /** Undefined: devices that ask for a certificate are refused. */
  registrar?: RegistrarKeys | undefined;
}

/** What judging a message needs. */
export interface AcceptContext extends OwnKeys {
  crypto: NodeCrypto;
  store: Store;
  sessionKeys: SessionKeys;
  prefix: string;
  /** Unix seconds. */
  now(): number;
}
