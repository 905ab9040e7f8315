/**
 * CBOR by another hand: cbor-x, told to write plain CBOR. Every byte of protocol/
 * is compared with what this makes of the same structure.
 */
import { Encoder, Tag } from "cbor-x";
import type { Bytes } from "../../protocol/bytes.ts";

export { Tag };

// cbor-x's defaults write its own extensions: records, and a tag around byte strings.
const encoder = new Encoder({
  mapsAsObjects: false,
  useRecords: false,
  tagUint8Array: false,
  variableMapSize: true,
});

/** Maps as Map, byte strings as Buffer, integers above 2^32 as BigInt. */
export function encodeOracle(value: unknown): Bytes {
  return fromBinary(encoder.encode(value));
}

export function decodeOracle(value: Bytes): unknown {
  return encoder.decode(toBinary(value));
}

export function toBinary(value: Bytes): Buffer {
  return Buffer.from(value, "latin1");
}

export function fromBinary(value: Uint8Array): Bytes {
  return Buffer.from(value).toString("latin1") as Bytes;
}

/** Bytes from hexadecimal digits; white space is left out. */
export function hex(digits: string): Bytes {
  return Buffer.from(digits.replace(/\s+/g, ""), "hex").toString("latin1") as Bytes;
}
