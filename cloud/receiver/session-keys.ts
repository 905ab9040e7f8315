import { type Bytes, toBigEndian, toHex } from "../../protocol/bytes.ts";
import {
  type KeyHandle,
  USAGE_DECRYPT,
  USAGE_DERIVE,
  USAGE_ENCRYPT,
} from "../../protocol/cose/crypto.ts";
import { RECEIPT_KEY_INFO } from "../../protocol/receipt.ts";
import type { NodeCrypto } from "../crypto/node-crypto.ts";
import type { Device, Session, Store } from "../store/store.ts";
import type { Refused } from "./refusal.ts";

/** Open session keys kept at hand, about 1 kB each: one a device of a fleet of that size. */
const DEFAULT_CAPACITY = 8192;

/** A session whose key is open. Both handles are destroyed when it leaves the cache. */
export interface OpenSession {
  kid: Bytes;
  counter: number;
  key: KeyHandle;
  baseIv: Bytes;
  /** Seals the receipts to the device. */
  receiptKey: KeyHandle;
}

export interface SessionKeys {
  /** Seals a session key for the store, bound to its device and session. */
  seal(key: KeyHandle, device: Device, counter: number): Bytes;
  /**
   * The open session, from the cache or the store; refused when there is none, or when
   * its row is damaged: one row that does not open must not hold up everybody else. Use
   * it before the next await: a later call may evict it.
   */
  find(device: Device, counter: number): Promise<OpenSession | Refused>;
  /** Opens a row of the store, or takes it from the cache. */
  open(device: Device, row: Session): OpenSession;
  /** Destroys every open key. */
  close(): void;
}

/** Which place a sealed key belongs to: a row copied to another device or session opens nothing. */
function placeOf(device: Device, counter: number): Bytes {
  return (device.thumbprint + toBigEndian(counter)) as Bytes;
}

export function createSessionKeys(
  crypto: NodeCrypto,
  store: Pick<Store, "findSession">,
  kek: KeyHandle,
  capacity = DEFAULT_CAPACITY,
): SessionKeys {
  // A Map keeps the order of insertion, so its first entry is the least recently used.
  const cache = new Map<string, OpenSession>();

  const nameOf = (device: Device, counter: number) => `${toHex(device.kid)}/${counter}`;

  function destroy(session: OpenSession): void {
    crypto.destroyKey(session.key);
    crypto.destroyKey(session.receiptKey);
  }

  function insert(name: string, session: OpenSession): void {
    if (cache.size >= capacity) {
      const [oldest] = cache;
      if (oldest) {
        cache.delete(oldest[0]);
        destroy(oldest[1]);
      }
    }
    cache.set(name, session);
  }

  function cached(name: string): OpenSession | undefined {
    const session = cache.get(name);
    if (session) {
      cache.delete(name);
      cache.set(name, session);
    }
    return session;
  }

  function open(device: Device, row: Session): OpenSession {
    const name = nameOf(device, row.counter);
    const known = cached(name);
    if (known) return known;
    const place = placeOf(device, row.counter);
    const key = crypto.openKey(row.sealedKey, kek, place, USAGE_DECRYPT | USAGE_DERIVE);
    const session = {
      kid: toBigEndian(row.counter),
      counter: row.counter,
      key,
      baseIv: row.baseIv,
      receiptKey: crypto.deriveKey(key, RECEIPT_KEY_INFO, USAGE_ENCRYPT),
    };
    insert(name, session);
    return session;
  }

  return {
    seal: (key, device, counter) => crypto.sealKey(key, kek, placeOf(device, counter)),
    async find(device, counter) {
      const known = cached(nameOf(device, counter));
      if (known) return known;
      const row = await store.findSession(device.kid, counter);
      if (!row) return { refused: "session-unknown" };
      try {
        return open(device, row);
      } catch {
        return { refused: "session-damaged" };
      }
    },
    open,
    close() {
      for (const session of cache.values()) destroy(session);
      cache.clear();
    },
  };
}
