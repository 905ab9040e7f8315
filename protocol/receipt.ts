/**
 * A receipt: the cloud's word that messages are stored. Only what a receipt lists
 * leaves a device's queue. Encrypt0 under a key derived from the session key, for
 * this direction alone, with a random IV.
 *
 * Payload: {1: Unix seconds, 2: [message hash, ...], 3: [[session kid, first, last], ...]}
 */
import type { Bytes } from "./bytes.ts";
import { ARRAY, cborBytes, cborHead, cborInt, UNSIGNED } from "./cbor.ts";
import { createReader } from "./cbor-reader.ts";
import type { CoseCrypto, KeyHandle } from "./cose/crypto.ts";
import {
  createHeaders,
  NONCE_LENGTH,
  type RandomIvEncrypt0,
  SESSION_KID_LENGTH,
} from "./cose/encrypt0.ts";
import { MESSAGE_HASH_LENGTH } from "./cose/sign1.ts";
import { createStructures } from "./cose/structures.ts";
import { fail } from "./errors.ts";

/** Info of the HKDF that makes the receipt key from a session key. */
export const RECEIPT_KEY_INFO = "coseflow/1 receipt" as Bytes;

/** Most entries of each list: 24 of both fill about 850 of the 1,024 bytes downward. */
export const MAX_RECEIPT_ENTRIES = 24;

/** Most receipts under one key: their random IVs stay far from a collision. */
export const MAX_RECEIPTS = 1048576;

export interface ReceiptRange {
  sessionKid: Bytes;
  /** First and last sequence number, both included. */
  first: number;
  last: number;
}

export interface Receipt {
  /** The cloud's time, Unix seconds. */
  time: number;
  /** Signed messages stored: the first 16 bytes of the hash of each. */
  messages: Bytes[];
  /** Readings stored. */
  readings: ReceiptRange[];
}

/** Seals a receipt under the receipt key of the device's newest session. */
export function sealReceipt(
  crypto: CoseCrypto,
  key: KeyHandle,
  sessionKid: Bytes,
  deviceThumbprint: Bytes,
  receipt: Receipt,
): Bytes {
  if (
    receipt.messages.length > MAX_RECEIPT_ENTRIES ||
    receipt.readings.length > MAX_RECEIPT_ENTRIES
  )
    fail("size", "receipt, expected at most " + MAX_RECEIPT_ENTRIES + " entries a list");
  let payload = "\xa3\x01" + cborInt(receipt.time) + "\x02";
  payload += cborHead(ARRAY, receipt.messages.length);
  for (let i = 0; i < receipt.messages.length; i++)
    payload += cborBytes(receipt.messages[i] as Bytes);
  payload += "\x03" + cborHead(ARRAY, receipt.readings.length);
  for (let i = 0; i < receipt.readings.length; i++) {
    const range = receipt.readings[i] as ReceiptRange;
    payload += "\x83" + cborBytes(range.sessionKid) + cborInt(range.first) + cborInt(range.last);
  }
  const headers = createHeaders();
  const header = headers.content(sessionKid);
  const iv = crypto.generateRandom(NONCE_LENGTH);
  const structures = createStructures();
  const aad = structures.externalAad("receipt", deviceThumbprint);
  const structure = structures.encStructure("Encrypt0", header, aad);
  const ciphertext = crypto.aeadEncrypt(key, iv, structure, payload as Bytes);
  return ("\xd0\x83" + cborBytes(header) + headers.iv(iv) + cborBytes(ciphertext)) as Bytes;
}

/** Opens a receipt and reads it whole. */
export function openReceipt(
  crypto: CoseCrypto,
  key: KeyHandle,
  deviceThumbprint: Bytes,
  message: RandomIvEncrypt0,
): Receipt {
  const structures = createStructures();
  const aad = structures.externalAad("receipt", deviceThumbprint);
  const structure = structures.encStructure("Encrypt0", message.protectedHeader, aad);
  const payload = crypto.aeadDecrypt(key, message.iv, structure, message.ciphertext);
  const reader = createReader(payload);

  function readCount(): number {
    const count = reader.head(ARRAY);
    if (count > MAX_RECEIPT_ENTRIES)
      fail("size", "receipt list, expected at most " + MAX_RECEIPT_ENTRIES + ", got " + count);
    return count;
  }

  reader.exactly("\xa3\x01", "receipt");
  const time = reader.head(UNSIGNED);
  reader.exactly("\x02", "receipt");
  const messages: Bytes[] = [];
  for (let count = readCount(); count > 0; count--)
    messages.push(reader.bytesOf(MESSAGE_HASH_LENGTH));
  reader.exactly("\x03", "receipt");
  const readings: ReceiptRange[] = [];
  for (let count = readCount(); count > 0; count--) {
    reader.exactly("\x83", "range of a receipt");
    const sessionKid = reader.counter(SESSION_KID_LENGTH, "session key id");
    const first = reader.head(UNSIGNED);
    const last = reader.head(UNSIGNED);
    if (first < 1 || last < first)
      fail("form", "range of a receipt, expected first to last from 1");
    readings.push({ sessionKid: sessionKid, first: first, last: last });
  }
  reader.end();
  return { time: time, messages: messages, readings: readings };
}
