import {
  USAGE_CARRIED,
  USAGE_DECRYPT,
  USAGE_DERIVE,
  USAGE_ENCRYPT,
  USAGE_ENCRYPT_SEQUENCE,
  USAGE_SIGN,
  USAGE_WRAP,
} from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import {
  INPUT_LIMIT,
  NUMBER_LIMIT,
  PREFIX_LIMIT,
  RECORD_LIMIT,
  RING_ENTRY_LIMIT,
  ROLE_LIMIT,
} from "./limits.ts";

/*
 * What the C module's glue (native/node) checks before the core sees an argument, in the
 * same order and with the same errors: a TypeError for a wrong type, an Error for a wrong
 * size or range, both "argument". What is no handle names no key, which is found later.
 * Usages are judged here as well, as by the core before it looks for a key or a slot.
 */

type Check = (value: unknown) => void;

const NONCE = exactly(12, "nonce");
const POINT = exactly(65, "public key");
const AAD = upTo(INPUT_LIMIT, "additional data");
const CONTEXT = upTo(INPUT_LIMIT, "KDF context");
const ID = upTo(10, "id");
const HANDLE: Check = () => {};

/** All flags but SIGN, which is for P-256. */
const CONTENT_USAGES =
  USAGE_DERIVE |
  USAGE_ENCRYPT |
  USAGE_DECRYPT |
  USAGE_ENCRYPT_SEQUENCE |
  USAGE_WRAP |
  USAGE_CARRIED;
const MADE_USAGE = usage(CONTENT_USAGES);
/** No second handle may count sequence numbers for one key. */
const TAKEN_USAGE = usage(CONTENT_USAGES & ~USAGE_ENCRYPT_SEQUENCE);
const PAIR_USAGE = usage(USAGE_SIGN | USAGE_DERIVE);

const CHECKS: Readonly<Record<string, readonly Check[]>> = {
  generateRandom: [integer(NUMBER_LIMIT, "length")],
  hashCompute: [upTo(INPUT_LIMIT, "input")],
  generateKey: [MADE_USAGE],
  destroyKey: [HANDLE],
  exportPublicKey: [HANDLE],
  signMessage: [HANDLE, upTo(INPUT_LIMIT, "message")],
  verifyMessage: [POINT, upTo(INPUT_LIMIT, "message"), exactly(64, "signature")],
  keyAgreementWrap: [POINT, CONTEXT, HANDLE],
  keyAgreementUnwrap: [
    HANDLE,
    upTo(65, "public key"),
    CONTEXT,
    exactly(24, "wrapped key"),
    TAKEN_USAGE,
  ],
  aeadEncrypt: [HANDLE, NONCE, AAD, upTo(INPUT_LIMIT, "plaintext")],
  aeadDecrypt: [HANDLE, NONCE, AAD, upTo(INPUT_LIMIT, "ciphertext")],
  aeadEncryptKey: [HANDLE, NONCE, AAD, upTo(PREFIX_LIMIT, "prefix"), HANDLE],
  aeadDecryptKey: [
    HANDLE,
    NONCE,
    AAD,
    upTo(INPUT_LIMIT, "ciphertext"),
    integer(NUMBER_LIMIT, "prefix length"),
    TAKEN_USAGE,
  ],
  deriveKey: [HANDLE, upTo(INPUT_LIMIT, "info"), TAKEN_USAGE],
  openDeviceKey: [],
  nextDeviceCounter: [],
  exportBaseIv: [HANDLE],
  reserveSequence: [HANDLE],
  keepSession: [HANDLE],
  aeadEncryptSequence: [
    HANDLE,
    integer(NUMBER_LIMIT, "sequence number"),
    AAD,
    upTo(INPUT_LIMIT, "plaintext"),
  ],
  generateKeyPair: [PAIR_USAGE],
  openKey: [ID],
  hasKey: [ID],
  nextCounter: [ID],
  moveCounter: [ID, integer(NUMBER_LIMIT, "counter")],
  eraseKey: [ID],
  writeCsr: [HANDLE],
  verifyCertificate: [
    upTo(INPUT_LIMIT, "certificate"),
    upTo(INPUT_LIMIT, "anchor"),
    upTo(ROLE_LIMIT, "role"),
    integer(NUMBER_LIMIT, "key usage"),
    integer(Number.MAX_SAFE_INTEGER, "issued not before"),
    integer(Number.MAX_SAFE_INTEGER, "time floor"),
  ],
  writeRecord: [ID, upTo(RECORD_LIMIT, "record")],
  readRecord: [ID],
  eraseRecord: [ID],
  eraseAll: [],
  ringAppend: [upTo(RING_ENTRY_LIMIT, "entry")],
  ringPeek: [integer(NUMBER_LIMIT, "index")],
  ringDrop: [integer(NUMBER_LIMIT, "count")],
  ringCount: [],
};

/** Throws for the first argument that the C module's function of this name would not take. */
export function checkArguments(name: string, values: readonly unknown[]): void {
  CHECKS[name]?.forEach((check, index) => {
    check(values[index]);
  });
}

/** Throws the TypeError, with code "argument", of a value of another type. */
export function refuseType(name: string, expected: string, value: unknown): never {
  const error = new TypeError(`${name}, expected ${expected}, got ${typeof value}`);
  throw Object.assign(error, { code: "argument" });
}

function upTo(limit: number, name: string): Check {
  return (value) => {
    if (typeof value !== "string") refuseType(name, "a byte string", value);
    if (value.length > limit)
      fail("argument", `${name}, expected at most ${limit} bytes, got ${value.length}`);
    if (/[\u0100-\uffff]/.test(value)) refuseType(name, "characters up to 255", value);
  };
}

function exactly(size: number, name: string): Check {
  const check = upTo(INPUT_LIMIT, name);
  return (value) => {
    check(value);
    const { length } = value as string;
    if (length !== size) fail("argument", `${name}, expected ${size} bytes, got ${length}`);
  };
}

function integer(limit: number, name: string): Check {
  return (value) => {
    if (typeof value !== "number") refuseType(name, "a number", value);
    if (!Number.isInteger(value) || value < 0 || value > limit)
      fail("argument", `${name}, expected an integer from 0 to ${limit}, got ${value}`);
  };
}

function usage(allowed: number): Check {
  const check = integer(NUMBER_LIMIT, "usage");
  return (value) => {
    check(value);
    const flags = value as number;
    if (flags === 0 || (flags & ~allowed) !== 0)
      fail("argument", `usage, expected flags of ${allowed}, got ${flags}`);
    // Under one nonce, a known plaintext would give the keystream over a carried key.
    const both = USAGE_ENCRYPT | USAGE_WRAP;
    if ((flags & both) === both)
      fail("argument", `usage, expected ENCRYPT or WRAP, got both (${flags})`);
    // "Each number once" holds only if no nonce comes from outside.
    const isNumbered = (flags & USAGE_ENCRYPT_SEQUENCE) !== 0;
    if (isNumbered && (flags & both) !== 0)
      fail("argument", `usage, expected sequence numbers or nonces, got both (${flags})`);
  };
}
