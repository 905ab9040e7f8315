import { createPublicKey, type KeyObject } from "node:crypto";
import type { Bytes } from "../protocol/bytes.ts";
import type { CoseCrypto } from "../protocol/cose/crypto.ts";
import { fail } from "../protocol/errors.ts";
import { kidOf, thumbprintOf } from "../protocol/kid.ts";
import { fromBuffer } from "./crypto/convert.ts";
import { importPublicPoint, POINT_SIZE } from "./crypto/primitives.ts";
import type { Device, Owner, Store } from "./store/store.ts";

const PEM_START = "-----BEGIN";
const HEX_POINT = /^04[0-9a-f]{128}$/i;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** Names are shown in terminals and logs. */
const NAME = /^[^\p{C}]{1,64}$/u;

function pointOfKey(key: KeyObject): Buffer {
  if (key.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    fail("argument", `public key, expected one on P-256, got ${key.asymmetricKeyType}`);
  const { x, y } = key.export({ format: "jwk" });
  const coordinate = (text: unknown) => Buffer.from(text as string, "base64url");
  return Buffer.concat([Buffer.of(4), coordinate(x), coordinate(y)]);
}

function parsePem(text: string): Buffer {
  if (text.includes("PRIVATE KEY"))
    fail(
      "argument",
      "public key, expected a public one, got a private key: it must not leave its device",
    );
  try {
    return pointOfKey(createPublicKey(text));
  } catch (error) {
    if ((error as { code?: string }).code === "argument") throw error;
    fail("argument", "public key, expected PEM of a P-256 key, got PEM that cannot be read");
  }
}

function decodePoint(text: string): Buffer {
  if (text.startsWith(PEM_START)) return parsePem(text);
  if (HEX_POINT.test(text)) return Buffer.from(text, "hex");
  if (BASE64.test(text)) return Buffer.from(text, "base64");
  return Buffer.alloc(0);
}

/**
 * A P-256 public key as its uncompressed point, from 130 hexadecimal digits, base64 of
 * those 65 bytes, or PEM; "argument" for anything else and for a point off the curve.
 */
export function parsePublicKey(text: string): Bytes {
  const point = decodePoint(text.trim());
  if (point.length !== POINT_SIZE || point[0] !== 4)
    fail("argument", "public key, expected 65 bytes from 04 as hexadecimal, base64 or PEM");
  importPublicPoint(point);
  return fromBuffer(point);
}

/** Registers a key, or renames a registered one; "kid" when its key id belongs to another. */
export async function registerDevice(
  { crypto, store }: { crypto: CoseCrypto; store: Store },
  publicKey: Bytes,
  name?: string,
  owner?: Owner,
): Promise<Device> {
  if (name !== undefined && !NAME.test(name))
    fail("argument", "name, expected 1 to 64 printable characters");
  const thumbprint = thumbprintOf(crypto, publicKey);
  const device = { kid: kidOf(thumbprint), publicKey, thumbprint, name };
  await store.registerDevice(device, Math.floor(Date.now() / 1000), owner);
  return device;
}
