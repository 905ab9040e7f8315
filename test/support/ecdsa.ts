/**
 * ES256 whose signatures are a function of key and message alone (RFC 6979), for
 * examples that must come out the same each time. Slow, and not constant-time.
 */
import { createECDH, createHash, createHmac } from "node:crypto";
import type { Bytes } from "../../protocol/bytes.ts";

/** The order of P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

function toInteger(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString("hex")}`);
}

function toBytes(integer: bigint): Buffer {
  return Buffer.from(integer.toString(16).padStart(64, "0"), "hex");
}

function hmac(key: Buffer, ...parts: Buffer[]): Buffer {
  return createHmac("sha256", key).update(Buffer.concat(parts)).digest();
}

/** Section 3.2. The first candidate is below the order but once in 2^32 signatures. */
function nonce(scalar: Buffer, hash: Buffer): Buffer {
  const reduced = toBytes(toInteger(hash) % ORDER);
  let key: Buffer = Buffer.alloc(32, 0);
  let value: Buffer = Buffer.alloc(32, 1);
  for (const separator of [0, 1]) {
    key = hmac(key, value, Buffer.from([separator]), scalar, reduced);
    value = hmac(key, value);
  }
  value = hmac(key, value);
  if (toInteger(value) >= ORDER) throw new Error("nonce, expected below the order, got above");
  return value;
}

/** base^exponent modulo the order. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % ORDER;
    square = (square * square) % ORDER;
  }
  return result;
}

/** 64 bytes, r then s. */
export function signDeterministic(scalar: Buffer, message: Buffer): Buffer {
  const hash = createHash("sha256").update(message).digest();
  const k = nonce(scalar, hash);
  const point = createECDH("prime256v1");
  point.setPrivateKey(k);
  const r = toInteger(point.getPublicKey().subarray(1, 33)) % ORDER;
  const inverse = power(toInteger(k), ORDER - 2n);
  const s = (inverse * (toInteger(hash) + r * toInteger(scalar))) % ORDER;
  return Buffer.concat([toBytes(r), toBytes(s)]);
}

/**
 * The message with the other signature that verifies, (r, n - s), in place of its own: the last 64
 * bytes of a Sign1.
 */
export function withTwinSignature(message: Bytes): Bytes {
  const at = message.length - 32;
  const s = toInteger(Buffer.from(message.slice(at), "latin1"));
  return (message.slice(0, at) + toBytes(ORDER - s).toString("latin1")) as Bytes;
}
