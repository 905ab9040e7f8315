/**
 * COSE_Encrypt0 (RFC 9052 section 5.2), A128GCM only, in its two forms: a reading
 * names its nonce by a Partial IV, a receipt carries a random one.
 */
import { type Bytes, chars, fromBigEndian } from "../bytes.ts";
import { cborBytes } from "../cbor.ts";
import { createReader, type Reader } from "../cbor-reader.ts";

/** Bytes of an AES-GCM nonce: RFC 9053 section 4.1 fixes 96 bits. */
export const NONCE_LENGTH = 12;
/** Bytes of the AES-GCM tag at the end of every ciphertext. */
export const TAG_LENGTH = 16;

/** A session key id is a counter as its shortest big-endian bytes: 1 to 4, from 1. */
export const SESSION_KID_LENGTH = 4;
/** A Partial IV likewise: 1 to 5 bytes, from 1. */
export const PARTIAL_IV_LENGTH = 5;

/** An Encrypt0 taken apart, nothing opened yet. */
export interface Encrypt0 {
  protectedHeader: Bytes;
  sessionKid: Bytes;
  ciphertext: Bytes;
}

/** Encrypt0 of a reading: protected {1: 1, 4: session kid, 6: Partial IV}, unprotected {}. */
export interface SequencedEncrypt0 extends Encrypt0 {
  partialIv: Bytes;
  sequence: number;
}

export function parseSequencedEncrypt0(message: Bytes): SequencedEncrypt0 {
  const reader = createReader(message);
  reader.exactly("\xd0\x83", "COSE_Encrypt0");
  const protectedHeader = reader.bytes();
  reader.exactly("\xa0", "unprotected header of a reading");
  const ciphertext = reader.bytes();
  reader.end();
  const header = createReader(protectedHeader);
  header.exactly("\xa3\x01\x01\x04", "protected header of a reading");
  const sessionKid = header.counter(SESSION_KID_LENGTH, "session key id");
  header.exactly("\x06", "protected header of a reading");
  const partialIv = header.counter(PARTIAL_IV_LENGTH, "Partial IV");
  header.end();
  return {
    protectedHeader: protectedHeader,
    sessionKid: sessionKid,
    ciphertext: ciphertext,
    partialIv: partialIv,
    sequence: fromBigEndian(partialIv),
  };
}

/**
 * The headers of content under a random IV, written and read: of an Encrypt, and of an
 * Encrypt0 without a Partial IV.
 */
export function createHeaders() {
  return {
    /** Protected: {1: 1, 4: session kid}. */
    content: (sessionKid: Bytes) => ("\xa2\x01\x01\x04" + cborBytes(sessionKid)) as Bytes,

    readContent(protectedHeader: Bytes): Bytes {
      const header = createReader(protectedHeader);
      header.exactly("\xa2\x01\x01\x04", "protected header of the content");
      const sessionKid = header.counter(SESSION_KID_LENGTH, "session key id");
      header.end();
      return sessionKid;
    },

    /** Unprotected: {5: IV}. */
    iv: (iv: Bytes) => ("\xa1\x05" + cborBytes(iv)) as Bytes,

    readIv(reader: Reader): Bytes {
      reader.exactly("\xa1\x05", "unprotected header of the content");
      return reader.bytesOf(NONCE_LENGTH);
    },
  };
}

/** Encrypt0 of a receipt: protected {1: 1, 4: session kid}, unprotected {5: IV}. */
export interface RandomIvEncrypt0 extends Encrypt0 {
  iv: Bytes;
}

export function parseRandomIvEncrypt0(message: Bytes): RandomIvEncrypt0 {
  const headers = createHeaders();
  const reader = createReader(message);
  reader.exactly("\xd0\x83", "COSE_Encrypt0");
  const protectedHeader = reader.bytes();
  const iv = headers.readIv(reader);
  const ciphertext = reader.bytes();
  reader.end();
  return {
    protectedHeader: protectedHeader,
    sessionKid: headers.readContent(protectedHeader),
    ciphertext: ciphertext,
    iv: iv,
  };
}

/** The nonce: Base IV XOR the Partial IV, left-padded (RFC 9052 section 3.1). */
export function nonceOf(baseIv: Bytes, partialIv: Bytes): Bytes {
  const start = NONCE_LENGTH - partialIv.length;
  let nonce: string = baseIv.substring(0, start);
  for (let i = 0; i < partialIv.length; i++)
    nonce += chars(baseIv.charCodeAt(start + i) ^ partialIv.charCodeAt(i));
  return nonce as Bytes;
}
