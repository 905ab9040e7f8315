import { crc32 } from "./crc32.ts";

/*
 * One slot of a stored key, as the C module writes it where the chip has no key of its
 * own, so that a simulated device keeps its identity whichever of the two opens its
 * directory:
 *   0   4  "cfdk"
 *   4   1  version of this layout
 *   5   8  record sequence, from 1
 *  13   4  counter: the last value handed out
 *  17  32  private key
 *  49  65  public key
 * 114   4  CRC-32 of all before
 * Numbers are big-endian.
 */
export interface KeyRecord {
  /** Which record is newer. */
  readonly sequence: number;
  readonly counter: number;
  /** The scalar, 32 bytes. */
  readonly secret: Buffer;
  /** The uncompressed point, 65 bytes. */
  readonly publicKey: Buffer;
}

const MAGIC_AND_VERSION = Buffer.from("cfdk\x01", "latin1");
const SEQUENCE_AT = 5;
const COUNTER_AT = 13;
const SECRET_AT = 17;
const PUBLIC_AT = 49;
const CRC_AT = 114;
const RECORD_SIZE = 118;

export function encodeRecord(record: KeyRecord): Buffer {
  const content = Buffer.alloc(RECORD_SIZE);
  MAGIC_AND_VERSION.copy(content);
  content.writeBigUInt64BE(BigInt(record.sequence), SEQUENCE_AT);
  content.writeUInt32BE(record.counter, COUNTER_AT);
  record.secret.copy(content, SECRET_AT);
  record.publicKey.copy(content, PUBLIC_AT);
  content.writeUInt32BE(crc32(content.subarray(0, CRC_AT)), CRC_AT);
  return content;
}

/** Views on the content; undefined when it is not a whole record. */
export function decodeRecord(content: Buffer): KeyRecord | undefined {
  if (content.length !== RECORD_SIZE) return undefined;
  if (!content.subarray(0, SEQUENCE_AT).equals(MAGIC_AND_VERSION)) return undefined;
  if (content.readUInt32BE(CRC_AT) !== crc32(content.subarray(0, CRC_AT))) return undefined;
  const sequence = Number(content.readBigUInt64BE(SEQUENCE_AT));
  if (sequence < 1 || sequence >= Number.MAX_SAFE_INTEGER) return undefined;
  return {
    sequence,
    counter: content.readUInt32BE(COUNTER_AT),
    secret: content.subarray(SECRET_AT, PUBLIC_AT),
    publicKey: content.subarray(PUBLIC_AT, CRC_AT),
  };
}
