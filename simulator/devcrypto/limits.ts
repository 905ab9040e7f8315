import { TAG_SIZE } from "../../cloud/crypto/primitives.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";

/*
 * The bounds of the C module. The stand-in refuses what the board would refuse, or
 * a simulation would show nothing.
 */

/** The longest input: a message of 4 KiB and what COSE puts around it before it is signed. */
export const INPUT_LIMIT = 4096 + 64;
/** The longest prefix before a carried key: a COSE_Key without its key takes about 32 bytes. */
export const PREFIX_LIMIT = 128;
/** A prefix, a key of 16 bytes and a tag. */
export const CARRIER_LIMIT = PREFIX_LIMIT + 16 + TAG_SIZE;
/** The last sequence number of a session key; the device rekeys there. */
export const SEQUENCE_LIMIT = 2 ** 20;
/** The largest number that the module takes as one; whether it is in order is judged then. */
export const NUMBER_LIMIT = 2 ** 32 - 1;

/** The input, if it is a string within the limit; the door checks that it is one of bytes. */
export function bounded(input: Bytes, name: string, limit = INPUT_LIMIT): Bytes {
  if (typeof input !== "string")
    fail("argument", `${name}, expected a byte string, got ${typeof input}`);
  if (input.length > limit)
    fail("argument", `${name}, expected at most ${limit} bytes, got ${input.length}`);
  return input;
}

/** A count from 0 to `limit`; "argument" for anything else. */
export function boundedCount(count: number, name: string, limit: number): number {
  if (!Number.isInteger(count) || count < 0 || count > limit)
    fail("argument", `${name}, expected an integer from 0 to ${limit}, got ${String(count)}`);
  return count;
}

/** A counter to move to; 0 is none. */
export function checkCounter(counter: number): number {
  boundedCount(counter, "counter", NUMBER_LIMIT);
  if (counter === 0) fail("argument", "counter, expected at least 1, got 0");
  return counter;
}

/** The longest record: a reply of 4 KiB kept for resending. */
export const RECORD_LIMIT = 4096;
/** The longest entry of the ring: a reading of 1 KiB, and what the queue notes beside it. */
export const RING_ENTRY_LIMIT = 1024 + 64;
/** The contents of an object identifier 2.25.<uuid> take 20 bytes. */
export const ROLE_LIMIT = 32;

/** The id of a stored key or a record; "argument" for anything but 1 to 10 of a-z and 0-9. */
export function checkId(id: string): string {
  if (typeof id !== "string" || !/^[a-z0-9]{1,10}$/.test(id))
    fail("argument", `id, expected 1 to 10 characters a-z and 0-9, got ${String(id)}`);
  return id;
}
