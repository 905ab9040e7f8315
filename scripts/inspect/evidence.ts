import { createNodeCrypto, type NodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { type CloudKeys, loadKeys } from "../../cloud/keys/cloud-keys.ts";
import type { Credential } from "../../cloud/keys/credentials.ts";
import { createSessionKeys, type SessionKeys } from "../../cloud/receiver/session-keys.ts";
import type { Device } from "../../cloud/store/store.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import { type KnownAuthority, openAuthority } from "./authority.ts";
import { type KnownMessages, openKnownMessages } from "./database.ts";

/** What is at hand to judge a message with. Whatever is missing leaves layers unjudged. */
export interface Evidence {
  crypto: NodeCrypto;
  /** The cloud's newest key. */
  self: CloudKeys | undefined;
  /** Its other keys that are still valid; none without --keys. */
  older: readonly Credential[];
  /** What the key directory knows of certificates. */
  authority: KnownAuthority | undefined;
  database: KnownMessages | undefined;
  /** Opens stored session keys; needs both of the above. */
  sessionKeys: SessionKeys | undefined;
  /** The device whose public key was given. */
  given: Device | undefined;
  /** The device of a key id: the one given, or one of the database. */
  findDevice(kid: Bytes): Promise<Device | undefined>;
  /** Unix seconds. */
  now(): number;
  close(): void;
}

export interface EvidenceOptions {
  /** Directory of the cloud's keys. */
  keys?: string | undefined;
  /** The cloud's database. */
  db?: string | undefined;
  /** Uncompressed P-256 point, 65 bytes. */
  deviceKey?: Bytes | undefined;
  /** Unix seconds. */
  now?: () => number;
}

const unixNow = () => Math.floor(Date.now() / 1000);

function deviceOf(crypto: NodeCrypto, publicKey: Bytes): Device {
  const thumbprint = thumbprintOf(crypto, publicKey);
  return { kid: kidOf(thumbprint), publicKey, thumbprint, name: undefined };
}

export function openEvidence({ keys, db, deviceKey, now = unixNow }: EvidenceOptions): Evidence {
  const crypto = createNodeCrypto();
  const self = keys === undefined ? undefined : loadKeys(crypto, keys, now());
  const older = self?.older ?? [];
  const authority = keys === undefined ? undefined : openAuthority(crypto, keys);
  const database = db === undefined ? undefined : openKnownMessages(db);
  const sessionKeys = self && database && createSessionKeys(crypto, database, self.kek);
  const given = deviceKey === undefined ? undefined : deviceOf(crypto, deviceKey);
  return {
    crypto,
    self,
    older,
    authority,
    database,
    sessionKeys,
    given,
    async findDevice(kid) {
      const known = await database?.findDevice(kid);
      if (known !== undefined) return known;
      return given?.kid === kid ? given : undefined;
    },
    now,
    close() {
      sessionKeys?.close();
      for (const { key } of older) crypto.destroyKey(key);
      if (self) {
        crypto.destroyKey(self.key);
        crypto.destroyKey(self.kek);
      }
      database?.close();
    },
  };
}
