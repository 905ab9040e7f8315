import type { KeyObject } from "node:crypto";
import type { Bytes } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";
import { fromBuffer, toSizedBuffer } from "./convert.ts";
import { importPublicPoint, POINT_SIZE } from "./primitives.ts";

/**
 * Public keys kept ready: importing one costs about as much as verifying with it.
 * At 2.4 kB each the cache stays under 10 MB; a device beyond it costs one import.
 */
export const PUBLIC_KEY_CACHE_SIZE = 4096;

/** 0x04: an uncompressed point. The hybrid forms 0x06 and 0x07 are not of the profile. */
const UNCOMPRESSED = 4;

export interface PublicKeyCache {
  /** The key of a 65-byte point; "argument" when it is no point on P-256. */
  get(point: Bytes): KeyObject;
  readonly size: number;
}

interface Entry {
  text: string;
  key: KeyObject;
}

/** The least recently used key goes when the cache is full. Points are public: no secret is kept. */
export function createPublicKeyCache(capacity = PUBLIC_KEY_CACHE_SIZE): PublicKeyCache {
  // A Map keeps the order of insertion, so its first key is the least recently used.
  const entries = new Map<string, Entry>();

  function importPoint(point: Bytes): KeyObject {
    const buffer = toPoint(point);
    const key = importPublicPoint(buffer);
    if (entries.size >= capacity) {
      const [oldest] = entries.keys();
      if (oldest !== undefined) entries.delete(oldest);
    }
    // A fresh string: a slice would keep the whole message it was cut from alive.
    const text = fromBuffer(buffer);
    entries.set(text, { text, key });
    return key;
  }

  return {
    get(point) {
      const known = entries.get(point);
      if (known === undefined) return importPoint(point);
      entries.delete(point);
      entries.set(known.text, known);
      return known.key;
    },
    get size() {
      return entries.size;
    },
  };
}

/** The bytes of an uncompressed point; whether it lies on the curve is not checked here. */
export function toPoint(point: Bytes): Buffer {
  const buffer = toSizedBuffer(point, POINT_SIZE, "public key");
  if (buffer[0] !== UNCOMPRESSED)
    fail("argument", `public key, expected an uncompressed point (4), got form ${buffer[0]}`);
  return buffer;
}
