/**
 * Every failure of the protocol has a code from this closed union. Programs and
 * tests decide by the code; the message is for people: thing, expected, got.
 */
export type ErrorCode =
  /** Not deterministic CBOR, or truncated, or followed by more bytes. */
  | "cbor"
  /** Well-formed CBOR that is not the shape this profile expects. */
  | "form"
  /** An algorithm, curve, header or variant outside the one accepted profile. */
  | "profile"
  /** Longer or shorter than the profile allows. */
  | "size"
  /** A topic outside the table of topics. */
  | "topic"
  /** Two key ids that must be equal are not, or a key id names no known key. */
  | "kid"
  /** The signature does not verify. */
  | "signature"
  /** The tag or the key wrap does not verify. */
  | "decrypt"
  /** A sequence number or counter is at its limit, reused or out of range. */
  | "sequence"
  /** The certificate breaks a rule; the error's `cause` says which (cose/crypto.ts). */
  | "certificate"
  /** The key may not be used this way, or the handle names no key. */
  | "key"
  /** The device's store or flash cannot be read or written, or holds a damaged record. */
  | "store"
  /** The random source failed. */
  | "random"
  /** The board does not have what is asked for, such as flash for a queue. */
  | "unsupported"
  /** No memory is left for the calculation (the device's heap is small). */
  | "memory"
  /** A caller's argument is of the wrong kind or size. */
  | "argument";

export interface CoseflowError extends Error {
  code: ErrorCode;
}

/** Throws an Error that carries the code. (A subclass of Error does not work on Espruino.) */
export function fail(code: ErrorCode, message: string): never {
  const error = new Error(message) as CoseflowError;
  error.code = code;
  throw error;
}
