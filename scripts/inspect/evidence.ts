import { createNodeCrypto, type NodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { type CloudKeys, loadKeys } from "../../cloud/keys/cloud-keys.ts";
import { createSessionKeys, type SessionKeys } from "../../cloud/receiver/session-keys.ts";
import type { Device } from "../../cloud/store/store.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import { type KnownMessages, openKnownMessages } from "./database.ts";

/** What is at hand to judge a message with. Whatever is missing leaves layers unjudged. */
export interface Evidence {
  crypto: NodeCrypto;
  /** The cloud's keys. */
  self: CloudKeys | undefined;
  database: KnownMessages | undefined;
  /** Opens stored session keys; needs both of the above. */
  sessionKeys: SessionKeys | undefined;
  /** The device whose public key was given. */
  given: Device | undefined;
  /** The device of a key id: the one given, or one of the database. */
  findDevice(kid: Bytes): Promise<Device | undefined>;
  close(): void;
}

export interface EvidenceOptions {
  /** Directory of the cloud's keys. */
  keys?: string | undefined;
  /** The cloud's database. */
  db?: string | undefined;
  /** Uncompressed P-256 point, 65 bytes. */
  deviceKey?: Bytes | undefined;
}

function deviceOf(crypto: NodeCrypto, publicKey: Bytes): Device {
  const thumbprint = thumbprintOf(crypto, publicKey);
  return { kid: kidOf(thumbprint), publicKey, thumbprint, name: undefined };
}

export function openEvidence({ keys, db, deviceKey }: EvidenceOptions): Evidence {
  const crypto = createNodeCrypto();
  const self = keys === undefined ? undefined : loadKeys(crypto, keys);
  const database = db === undefined ? undefined : openKnownMessages(db);
  const sessionKeys = self && database && createSessionKeys(crypto, database, self.kek);
  const given = deviceKey === undefined ? undefined : deviceOf(crypto, deviceKey);
  return {
    crypto,
    self,
    database,
    sessionKeys,
    given,
    async findDevice(kid) {
      const known = await database?.findDevice(kid);
      if (known !== undefined) return known;
      return given?.kid === kid ? given : undefined;
    },
    close() {
      sessionKeys?.close();
      if (self) {
        crypto.destroyKey(self.key);
        crypto.destroyKey(self.kek);
      }
      database?.close();
    },
  };
}
