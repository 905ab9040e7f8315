import { createSecretKey, type ECDH, type KeyObject } from "node:crypto";
import {
  type KeyHandle,
  USAGE_CARRIED,
  USAGE_DECRYPT,
  USAGE_DERIVE,
  USAGE_ENCRYPT,
  USAGE_SIGN,
  USAGE_WRAP,
} from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";

/** An AES-128 key: a session key, or a content encryption key. */
export interface ContentKey {
  readonly kind: "content";
  readonly secret: KeyObject;
}

/** A P-256 private key, kept in the two forms that node:crypto signs and agrees with. */
export interface PrivateKey {
  readonly kind: "private";
  readonly signer: KeyObject;
  readonly agreement: ECDH;
}

/** An AES-256 key under which session keys rest in a database. */
export interface KeyEncryptionKey {
  readonly kind: "kek";
  readonly secret: KeyObject;
}

export type KeyMaterial = ContentKey | PrivateKey | KeyEncryptionKey;
type Kind = KeyMaterial["kind"];
type MaterialOf<K extends Kind> = Extract<KeyMaterial, { kind: K }>;

const USAGES_OF: Record<Kind, number> = {
  content: USAGE_DERIVE | USAGE_ENCRYPT | USAGE_DECRYPT | USAGE_WRAP | USAGE_CARRIED,
  private: USAGE_SIGN | USAGE_DERIVE,
  kek: 0,
};

/**
 * What a KeyHandle of the cloud is. Everything is in private fields: JSON, the
 * console, util.inspect and structured clones show an empty object.
 */
class NodeKey {
  declare readonly __keyHandle: true;
  readonly #usage: number;
  #material: KeyMaterial | undefined;

  constructor(material: KeyMaterial, usage: number) {
    this.#material = material;
    this.#usage = usage;
  }

  /** The material if it is of this kind and the flags allow every bit of `usage`. */
  material(kind: Kind, usage: number): KeyMaterial {
    const material = this.#material;
    if (material === undefined) fail("key", "key, expected a live one, got a destroyed one");
    if (material.kind !== kind) fail("key", `key, expected kind "${kind}", got "${material.kind}"`);
    if ((this.#usage & usage) !== usage)
      fail("key", `key, expected usage ${usage}, got ${this.#usage}`);
    return material;
  }

  /** Lets go of the material: OpenSSL clears its copy when the last reference is collected. */
  destroy(): void {
    if (this.#material === undefined) fail("key", "key, expected a live one, got a destroyed one");
    this.#material = undefined;
  }
}

/** A handle with these flags; "argument" for flags that mean nothing for its kind. */
export function makeKey(material: KeyMaterial, usage: number): KeyHandle {
  checkUsage(material.kind, usage);
  return new NodeKey(material, usage);
}

/** A content key from 16 bytes, which are wiped. */
export function makeContentKey(secret: Buffer, usage: number): KeyHandle {
  const material: ContentKey = { kind: "content", secret: createSecretKey(secret) };
  secret.fill(0);
  return makeKey(material, usage);
}

/**
 * "argument" unless `usage` is flags that a key of the kind may have. Sequence
 * numbers are the device's own, so ENCRYPT_SEQUENCE is never among them. Called
 * before a key is made or opened, so that a wrong usage costs nothing.
 */
export function checkUsage(kind: Kind, usage: number): void {
  const allowed = USAGES_OF[kind];
  const isEmpty = usage === 0 && allowed !== 0;
  if (!Number.isInteger(usage) || isEmpty || (usage & ~allowed) !== 0)
    fail("argument", `usage, expected flags of a key of kind "${kind}", got ${String(usage)}`);
}

/** The material behind a handle; "key" when it is none, destroyed, of another kind or forbidden. */
export function useKey<K extends Kind>(key: KeyHandle, kind: K, usage: number): MaterialOf<K> {
  return asNodeKey(key).material(kind, usage) as MaterialOf<K>;
}

export function destroyNodeKey(key: KeyHandle): void {
  asNodeKey(key).destroy();
}

function asNodeKey(key: KeyHandle): NodeKey {
  if (!(key instanceof NodeKey)) fail("key", `key, expected a handle, got ${typeof key}`);
  return key;
}
